"""Who may log in to the app: passwords, accounts of an identity provider, running logins, and limits on tries."""
