#!/bin/sh
# Make the secrets of the compose stack, once: files in deploy/secrets/. Those that are there are left as they are.
#
#     sh deploy/make_secrets.sh
#
# The folder is closed to other users. The files in it can be read by all, because the containers run as other users.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
chmod 700 secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

for name in database_password key turn_password; do
    [ -s "secrets/$name" ] || random >"secrets/$name"
done
# coturn reads its users from its settings only.
[ -s secrets/turn.conf ] || printf 'user=fewshot:%s\n' "$(cat secrets/turn_password)" >secrets/turn.conf
chmod 644 secrets/database_password secrets/key secrets/turn_password secrets/turn.conf
echo "The secrets are in $(pwd)/secrets. Copy the file key to a safe place: without it nobody can open the classes."
