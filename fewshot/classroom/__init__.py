"""Who is in the class: roster, consent, enrollment, and which track is which student."""
