#!/bin/sh
# Copy the database every day, and delete old copies. Runs in the container "backup" of compose.yaml.
#
# PGHOST, PGUSER, PGDATABASE: the database. PASSWORD_FILE: its password. TARGET: the folder of the copies.
# BACKUP_DAYS: how long they are kept. With the word "once" it makes one copy and ends.
set -eu
umask 077
: "${PASSWORD_FILE:?}" "${TARGET:?}" "${BACKUP_DAYS:=14}"
PGPASSWORD=$(cat "$PASSWORD_FILE")
export PGPASSWORD

copy() {
    made="$TARGET/fewshot-$(date -u +%Y%m%dT%H%M%SZ).dump"
    # First under another name: a copy that was interrupted must not look like a whole one.
    pg_dump --format=custom --file "$made.part" && pg_restore --list "$made.part" >/dev/null && mv "$made.part" "$made" \
        || { rm -f "$made.part"; echo "The copy of the database failed." >&2; return 1; }
    echo "Copied the database to $made."
    find "$TARGET" -name 'fewshot-*.dump' -mtime "+$BACKUP_DAYS" -exec rm -f {} +
}

if [ "${1:-}" = once ]; then
    copy
    exit
fi
while :; do
    copy && pause=86400 || pause=600
    sleep "$pause" &
    wait $!
done
