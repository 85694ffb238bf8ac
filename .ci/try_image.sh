#!/bin/sh
# Build the image without a registry and start its process as its own user with a read-only root. Debian, as root:
#
#     apt-get install buildah debootstrap
#     sh .ci/try_image.sh FOLDER           # FOLDER: for base, storage and data; about 6 GB
#
# The base is a fresh Debian with Python instead of python:3.12-slim. BUILD_OPTIONS: more words for buildah, such as
# "-v /etc/pip.conf:/etc/pip.conf:ro". Nothing listens outside of 127.0.0.1.
set -eu
folder=$(realpath "$1")
cd "$(dirname "$0")/.."
export BUILDAH_ISOLATION=chroot
buildah="buildah --root $folder/storage --runroot $folder/run --storage-driver ${STORAGE_DRIVER:-overlay}"

if ! $buildah inspect --type image localhost/python-base >/dev/null 2>&1; then
    [ -d "$folder/base/usr" ] \
        || debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$folder/base"
    made=$($buildah from scratch)
    $buildah copy -q "$made" "$folder/base" /
    $buildah commit -q --format docker "$made" localhost/python-base
    $buildah rm "$made" >/dev/null
fi
if ! $buildah inspect --type image localhost/fewshot >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    $buildah bud --format docker --network host --build-arg BASE=localhost/python-base ${BUILD_OPTIONS:-} \
        --file deploy/Dockerfile --tag localhost/fewshot .
fi
$buildah images

container=$($buildah from localhost/fewshot)
root=$($buildah mount "$container")
mkdir -p "$folder/data" "$folder/keys"
chown 10001:10001 "$folder/data" "$folder/keys"
chmod 700 "$folder/data" "$folder/keys"
echo "a long password for a trial" >"$folder/data/password"
echo "Size of the root: $(du -sm "$root" | cut -f1) MB"
# In separate mounts: the root read-only, three places to write, and the user of the image.
PORT=${PORT:-18501} ROOT=$root FOLDER=$folder unshare --mount --pid --fork --kill-child sh -eu <<'INSIDE'
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --bind "$FOLDER/data" "$ROOT/data"
mount --bind "$FOLDER/keys" "$ROOT/keys"
mount -t tmpfs -o mode=1777,size=1g tmpfs "$ROOT/tmp"
mount --bind /dev "$ROOT/dev"
mount -o remount,bind,ro "$ROOT"
within() {
    chroot --userspec=10001:10001 "$ROOT" env -i PATH=/srv/fewshot/bin:/usr/bin:/bin HOME=/data \
        FEWSHOT_HOME=/data/fewshot FEWSHOT_KEYS=/keys/fewshot PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 "$@"
}
within sh -c 'echo "Runs as $(id -u):$(id -g)"; ! touch /srv/here 2>&1 && ! touch /etc/here 2>&1'
if within timeout 600 fewshot app --port "$PORT" --no-browser --login; then echo "It started without an account."; exit 1; fi
within fewshot accounts add trial --password-file /data/password
within fewshot app --port "$PORT" --no-browser --login &
tries=0
# The words of the image's own health check, with this port.
until within python -I -c "from urllib.request import urlopen; urlopen('http://127.0.0.1:$PORT/api/ready', timeout=8)" \
    2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || { echo "It did not become ready."; exit 1; }
    sleep 2
done
echo "Ready: $(within python -I -c "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:$PORT/api/ready').read())")"
for status in "$ROOT"/proc/[0-9]*/status; do
    if grep -q '^Uid:.10001' "$status" && grep -q '^Name:.fewshot\|^Name:.python' "$status"; then
        grep -E '^(Name|Uid|VmRSS|VmHWM|CapEff)' "$status" | tr '\n' ' '; echo
    fi
done
INSIDE
$buildah umount "$container" >/dev/null
$buildah rm "$container" >/dev/null
echo "Done."
