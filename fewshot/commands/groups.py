"""The commands of ``fewshot models``, ``accounts``, ``tokens``, ``audit`` and ``key``; all imports are late."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fewshot.commands.options import PassphraseOption

models_app = typer.Typer(help="List, download and check the model files.")
accounts_app = typer.Typer(help="Add, list and remove the accounts that may log in to the app.")
tokens_app = typer.Typer(help="Add, list and remove the tokens of programs that use the service.")
audit_app = typer.Typer(no_args_is_help=True, help="Show and check the log of who did what with students' data.")
key_app = typer.Typer(no_args_is_help=True, help="The keys that encrypt names, vectors and readings.")


@models_app.command("list")
def models_list() -> None:
    """List every model: what it does, where it is, and what it may be used for."""
    from fewshot.commands.models import show_models

    show_models()


@models_app.command("pull")
def models_pull(
    names: Annotated[list[str] | None, typer.Argument(help="Models; default: all that can be downloaded.")] = None,
) -> None:
    """Download the models that are not on this machine yet."""
    from fewshot.commands.models import pull_models

    pull_models(names or [])


@models_app.command("verify")
def models_verify() -> None:
    """Compare every model file on this machine with the published file."""
    from fewshot.commands.models import verify_models

    raise typer.Exit(verify_models())


PasswordOption = Annotated[
    Path | None,
    typer.Option("--password-file", help="Read the password from this file; - is standard input. Default: ask for it."),
]


@accounts_app.callback(invoke_without_command=True)
def accounts_root(context: typer.Context) -> None:
    """Add, list and remove the accounts that may log in to the app. Without a command: list them."""
    if context.invoked_subcommand is None:
        from fewshot.commands.accounts import show_accounts

        show_accounts()


@accounts_app.command("add")
def accounts_add(
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    administrator: Annotated[
        bool, typer.Option("--administrator", help="Manages accounts and settings, and sees no reading.")
    ] = False,
    password_file: PasswordOption = None,
    email: Annotated[
        str, typer.Option(help="Address at your identity provider; then no password is needed.", show_default=False)
    ] = "",
    takes_local: Annotated[
        bool, typer.Option("--takes-local", help="Give it the classes and lessons made on this computer without login.")
    ] = False,
) -> None:
    """Add an account. The password is asked for twice and never shown."""
    from fewshot.commands.accounts import add_account

    add_account(name, administrator, password_file, email, takes_local)


@accounts_app.command("list")
def accounts_list() -> None:
    """List the accounts: role, classes, and who is logged in now."""
    from fewshot.commands.accounts import show_accounts

    show_accounts()


@accounts_app.command("reset")
def accounts_reset(
    name: Annotated[str, typer.Argument(help="Name of the account.")], password_file: PasswordOption = None
) -> None:
    """Give an account a new password. All its logins end."""
    from fewshot.commands.accounts import reset_account

    reset_account(name, password_file)


@accounts_app.command("remove")
def accounts_remove(
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    give_to: Annotated[
        str | None, typer.Option(metavar="NAME", help="Give its classes and lessons to this account.")
    ] = None,
    delete_classes: Annotated[
        bool, typer.Option("--delete-classes", help="Delete its classes and lessons, with all students.")
    ] = False,
) -> None:
    """Remove an account. It must have no classes, unless an option says what happens to them."""
    from fewshot.commands.accounts import remove_account

    remove_account(name, give_to, delete_classes)


@tokens_app.callback(invoke_without_command=True)
def tokens_root(context: typer.Context) -> None:
    """Add, list and remove the tokens of programs that use the service. Without a command: list them."""
    if context.invoked_subcommand is None:
        from fewshot.commands.tokens import show_tokens

        show_tokens()


@tokens_app.command("add")
def tokens_add(
    name: Annotated[str, typer.Argument(help="What to call it, such as the computer that gets it.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What it may do: read, enroll, forget, analyze, lesson, metrics. Can be repeated."),
    ],
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="Only this class; default: all of the teacher. Can be repeated."),
    ] = None,
    days: Annotated[int, typer.Option(help="It ends after this many days.")] = 365,
    as_name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", envvar="FEWSHOT_AS", help="It works for this account; default: local."),
    ] = None,
) -> None:
    """Add a token. It is shown once: only its SHA-256 is stored."""
    from fewshot.commands.tokens import add_token

    add_token(name, scope, classes, days, as_name)


@tokens_app.command("list")
def tokens_list() -> None:
    """List the tokens: for whom they work, what they may do, and until when."""
    from fewshot.commands.tokens import show_tokens

    show_tokens()


@tokens_app.command("remove")
def tokens_remove(number: Annotated[int, typer.Argument(help="Number of the token.")]) -> None:
    """Remove a token. It opens nothing any more."""
    from fewshot.commands.tokens import remove_token

    remove_token(number)


@audit_app.command("show")
def audit_show(
    last: Annotated[int, typer.Option(metavar="N", help="How many lines, the latest.")] = 50,
    as_name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", envvar="FEWSHOT_AS", help="Show what this account may see."),
    ] = None,
) -> None:
    """Show the latest lines. A teacher sees their own; an administrator and the local teacher see all."""
    from fewshot.commands.access import show_audit

    show_audit(last, as_name)


@audit_app.command("verify")
def audit_verify(
    kept: Annotated[
        str, typer.Option(metavar="HEAD", help="Also compare with a head that was kept elsewhere.", show_default=False)
    ] = "",
) -> None:
    """Check that no line was changed, moved, removed or added. The exit code is 1 if one was."""
    from fewshot.commands.access import verify_audit

    raise typer.Exit(verify_audit(kept))


@audit_app.command("head")
def audit_head() -> None:
    """Print number, hash, public key and signature of the newest line. Keep them on another computer."""
    from fewshot.commands.access import show_head

    show_head()


@audit_app.command("receipt")
def audit_receipt(file: Annotated[Path, typer.Argument(help="A receipt that fewshot forget wrote.")]) -> None:
    """Check whether the receipt of an erasure is unchanged."""
    from fewshot.commands.access import run_check_receipt

    raise typer.Exit(run_check_receipt(file))


@key_app.command("show")
def key_show() -> None:
    """Show where the keys are, and whether there is a recovery file."""
    from fewshot.commands.key import show_keys

    show_keys()


@key_app.command("check")
def key_check(
    archives_deleted: Annotated[
        bool,
        typer.Option(
            "--archives-deleted",
            help="Name archives and copies of a server from before the encryption no more.",
        ),
    ] = False,
) -> None:
    """Open everything once, and say what cannot be read, and what may be readable elsewhere."""
    from fewshot.commands.key import check_keys

    raise typer.Exit(check_keys(archives_deleted))


@key_app.command("rotate")
def key_rotate() -> None:
    """Replace the key that opens all others. If FEWSHOT_KEY_NEW is set, it is the new FEWSHOT_KEY."""
    from fewshot.commands.key import rotate_key

    rotate_key()


@key_app.command("export")
def key_export(
    file: Annotated[Path, typer.Argument(help="File to write, best on another disk.")],
    passphrase_file: PassphraseOption = None,
    replace: Annotated[
        bool, typer.Option("--new-passphrase", help="Choose a new passphrase for all recovery files.")
    ] = False,
) -> None:
    """Write a recovery file: with a passphrase it opens the keys when this disk is lost."""
    from fewshot.commands.key import export_key

    export_key(file, passphrase_file, replace)


@key_app.command("import")
def key_import(
    file: Annotated[Path, typer.Argument(help="A file that fewshot key export wrote.")],
    passphrase_file: PassphraseOption = None,
) -> None:
    """Take over the keys of a recovery file. Keys of what was erased stay dropped."""
    from fewshot.commands.key import import_key

    import_key(file, passphrase_file)


@key_app.command("serve")
def key_serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8470,
    certificate: Annotated[Path | None, typer.Option(help="Certificate for TLS (PEM).")] = None,
    private_key: Annotated[Path | None, typer.Option(help="Private key of the certificate (PEM).")] = None,
) -> None:
    """Hold the keys for other computers with the same database. They need FEWSHOT_KEY_HOLDER_TOKEN, as this one."""
    from fewshot.commands.key import serve_the_keys

    serve_the_keys(host, port, certificate, private_key)


@key_app.command("seal")
def key_seal(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="On a server without the right to make a new database. Weaker.")
    ] = False,
) -> None:
    """Encrypt what an earlier version of fewshot wrote. There is no way back.

    On a PostgreSQL server an encrypted copy is written as a new database, which takes the place of the old one.
    """
    from fewshot.commands.key import seal_now

    seal_now(yes, in_place)
