#!/bin/sh
# Build the image without a registry, and start its process as its own user with a read-only root. Debian, as root:
#
#     apt-get install buildah debootstrap
#     sh .ci/try_image.sh FOLDER           # FOLDER: for base, storage and data; about 6 GB
#
# The base is a fresh Debian with Python instead of python:3.12-slim. What is in FOLDER is not built again: to build
# anew, delete the folder. The process has a network without anything but itself, so nothing listens to others, and
# nothing can be downloaded. Variables:
#
#     BUILD_OPTIONS  more words for buildah, such as "-v /etc/pip.conf:/etc/pip.conf:ro"
#     SHARED         a folder with models/, such as FEWSHOT_SHARED; without it the weaker detector of OpenCV is tried
#     RESULTS        a page for the results; what stands in it from the first "## " on is kept
set -eu
stop() { echo "The image was not tried: $1" >&2; exit 1; }
[ $# -eq 1 ] || stop "name one folder, for base, storage and data."
for tool in buildah debootstrap unshare ip python3; do
    command -v "$tool" >/dev/null \
        || stop "it needs $tool. On Debian: apt-get install buildah debootstrap util-linux iproute2 python3"
done
[ "$(id -u)" = 0 ] || stop "it needs root, for debootstrap and for mounts."

mkdir -p "$1"
folder=$(realpath "$1")
cd "$(dirname "$0")/.."
export BUILDAH_ISOLATION=chroot
buildah="buildah --root $folder/storage --runroot $folder/run --storage-driver ${STORAGE_DRIVER:-overlay}"

if ! $buildah inspect --type image localhost/python-base >/dev/null 2>&1; then
    if [ ! -f "$folder/base/made" ]; then
        rm -rf "$folder/base"
        debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$folder/base"
        rm -rf "$folder"/base/var/cache/apt/* "$folder"/base/var/lib/apt/lists/*
        touch "$folder/base/made"
    fi
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
$buildah inspect --type image localhost/fewshot | python3 .ci/image_config.py >"$folder/config"
# shellcheck source=/dev/null
. "$folder/config"

container=$($buildah from localhost/fewshot)
trap '$buildah umount "$container" >/dev/null; $buildah rm "$container" >/dev/null' EXIT
root=$($buildah mount "$container")
rm -rf "$folder/data" "$folder/keys"
mkdir -m 700 "$folder/data" "$folder/keys"
mkdir -p "$folder/data/shared/models"
echo "a long password for a trial" >"$folder/data/password"
chown -R "$image_user" "$folder/data" "$folder/keys"
: >"$folder/facts"
export folder root image_user image_environment image_command image_health
fact() { echo "$1: $2"; echo "| $1 | $2 |" >>"$folder/facts"; }
fact "Debian of the base, and its Python" \
    "$(cat "$root/etc/debian_version"), $(chroot "$root" python3 --version)"
fact "size of the root" "$(du -sm "$root" | cut -f1) MB, in $image_layers layers"
fact "of which the base" "$(du -sm "$folder/base" | cut -f1) MB"
fact "of which Python's packages" "$(du -sm "$root/srv/fewshot" | cut -f1) MB"
fact "torch in it" "$(find "$root/srv/fewshot" -maxdepth 4 -name torch | grep . || echo no)"
# In separate mounts: the root read-only, three places to write, and the user, environment and command of the image.
SHARED=${SHARED:-} unshare --mount --pid --net --fork --kill-child sh -eu <<'INSIDE'
ip link set lo up
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind "$folder/data" "$root/data"
mount --bind "$folder/keys" "$root/keys"
if [ -n "$SHARED" ]; then
    mount --bind "$SHARED/models" "$root/data/shared/models"
    mount -o remount,bind,ro "$root/data/shared/models"
fi
mount -t tmpfs -o mode=1777,size=1g tmpfs "$root/tmp"
mount --bind /dev "$root/dev"
mount -t sysfs -o ro sysfs "$root/sys"
mount -o remount,bind,ro "$root"

fact() { echo "$1: $2"; echo "| $1 | $2 |" >>"$folder/facts"; }
# As compose.yaml has it: no capability, and none to be had (cap_drop, no-new-privileges). The words are quoted already.
eval "set -- $image_environment"
within() {
    chroot "$root" setpriv --reuid "${image_user%:*}" --regid "${image_user#*:}" --clear-groups --no-new-privs \
        --bounding-set=-all --inh-caps=-all env -i "$@"
}
# Words after the environment of the image.
eval "run() { within $image_environment FEWSHOT_SHARED=/data/shared sh -c 'cd /data && exec \"\$@\"' sh \"\$@\"; }"

fact "runs as" "$(run sh -c 'echo "$(id -u):$(id -g)"')"
for place in /srv/fewshot /etc /usr /; do
    if run touch "$place/here" 2>/dev/null; then echo "$place can be written to."; exit 1; fi
done
run touch /data/here /keys/here /tmp/here
fact "can write to" "/data, /keys, /tmp, and not to /srv/fewshot, /etc, /usr, /"

if eval "run timeout 600 $image_command" 2>"$folder/refused"; then echo "It started without an account."; exit 1; fi
grep -q "there is no account yet" "$folder/refused" || { cat "$folder/refused"; exit 1; }
fact "its command without an account" "refuses to start, and says why"
run fewshot accounts add trial --password-file /data/password

if run fewshot doctor >"$folder/doctor" 2>&1; then outcome=; else outcome=", and ended with an error"; fi
cat "$folder/doctor"
fact "fewshot doctor" "$(tail -n 1 "$folder/doctor")$outcome"

ready() { # words of a check, seconds
    tries=0
    until eval "run $1" 2>"$folder/not-ready"; do
        tries=$((tries + 1))
        [ $tries -lt 120 ] || { cat "$folder/not-ready"; echo "It did not become ready."; exit 1; }
        sleep 2
    done
}
get() { # address
    run python -I -c "import sys; from urllib.request import urlopen; print(urlopen(sys.argv[1]).read().decode())" "$1"
}
end() { # all processes of this user here, which are those that were started in this namespace
    run sh -c 'kill -TERM -1'
    wait
}
eval "run $image_command" &
ready "$image_health"
fact "its command with an account" "$(get http://127.0.0.1:8501/api/health) at /api/health, $(get \
    http://127.0.0.1:8501/api/ready) at /api/ready; its health check holds"
get http://127.0.0.1:8501/ | grep -q 'name="password"' || { echo "No login page."; exit 1; }
for status in "$root"/proc/[0-9]*/status; do
    if grep -q "^Uid:.${image_user%:*}" "$status" 2>/dev/null && grep -q '^Name:.fewshot\|^Name:.python' "$status"; then
        fact "its process" "$(grep -E '^(Name|Uid|Gid|VmRSS|CapEff|CapBnd|NoNewPrivs)' "$status" | tr -s '\t ' ' ' \
            | tr '\n' ',' | sed 's/,$//; s/,/, /g')"
    fi
done
end

run fewshot serve --port 8600 &
ready "python -I -c \"from urllib.request import urlopen; urlopen('http://127.0.0.1:8600/api/health', timeout=8)\""
fact "fewshot serve" "$(get http://127.0.0.1:8600/api/health) at /api/health"
end

# words: run them, and show the end of what they said
told() { run "$@" >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }; tail -n 25 "$folder/said"; }
told fewshot demo --offline --out /data/demo
film=$(cd "$folder/data/demo" && ls -- *.mp4 | head -n 1)
told fewshot analyze "/data/demo/$film" --csv /data/demo/faces.csv
rows=$(($(wc -l <"$folder/data/demo/faces.csv") - 1))
[ "$rows" -gt 0 ] || { echo "No face was found."; exit 1; }
fact "fewshot analyze of the demo's video" "$rows rows, one per face and frame"
INSIDE
if [ -n "${RESULTS:-}" ]; then
    kept=$([ ! -f "$RESULTS" ] || sed -n '/^## /,$p' "$RESULTS")
    {
        printf '# The image of deploy/Dockerfile, built and started without a registry\n\n'
        printf '    RESULTS=experiments/results/image.md sh .ci/try_image.sh FOLDER\n\n| what | seen |\n|---|---|\n'
        cat "$folder/facts"
        [ -z "$kept" ] || printf '\n%s\n' "$kept"
    } >"$folder/results.md"
    cp "$folder/results.md" "$RESULTS"
fi
echo "Done."
