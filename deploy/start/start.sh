#!/bin/sh
# Opens the teacher's app; the first time it installs it. Started by a double click on fewshot.desktop (Linux) or
# fewshot.command (macOS). It needs no administrator, and writes only to $FEWSHOT_HOME (default: .fewshot in your home).
set -u

say() { printf '%s\n' "$*"; }

stop() { # what happened, what to do
    say "" "This did not work: $1" "$2"
    if [ -t 0 ]; then
        printf 'Press Enter to close this window. '
        read -r _
    fi
    exit 1
}

source=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
[ -f "$source/pyproject.toml" ] && [ -f "$source/constraints.txt" ] || stop \
    "the files of fewshot are not in $source." \
    "Unpack the whole download, leave this file where it is in it, and start it there."

[ -n "${FEWSHOT_HOME:-}${HOME:-}" ] || stop "this account has no home folder." "Set FEWSHOT_HOME to a folder of yours."
place=${FEWSHOT_HOME:-$HOME/.fewshot}/program
(umask 077 && mkdir -p "$place") 2>/dev/null && [ -w "$place" ] || stop \
    "$place cannot be written to." \
    "Free some space, or set FEWSHOT_HOME to a folder where you may write, and start again."

online="Is this computer online? Connect it and start again: what is there already is kept."
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    uv=$place/uv/bin/uv
    if ! "$uv" --version >/dev/null 2>&1; then
        say "Getting uv, which installs the rest ..."
        rm -rf "$place/uv"
        for python in python3 python; do
            if "$python" -m venv "$place/uv" >/dev/null 2>&1 &&
                "$place/uv/bin/python" -m pip install --quiet --disable-pip-version-check uv; then
                break
            fi
            rm -rf "$place/uv"
        done
    fi
    if ! "$uv" --version >/dev/null 2>&1; then
        # A computer without Python: uv's own installer, which puts one file into the folder that it is given.
        address=https://astral.sh/uv/install.sh
        { curl -LsSf "$address" || wget -qO- "$address"; } 2>/dev/null |
            env UV_INSTALL_DIR="$place/uv/bin" UV_NO_MODIFY_PATH=1 sh >/dev/null 2>&1
    fi
    "$uv" --version >/dev/null 2>&1 || stop "uv could not be downloaded." "$online"
fi

# Installed again when the list of parts changes, or when the folder was moved.
wanted=$(cat "$source/pyproject.toml" "$source/constraints.txt" | cksum)" $source"
program=$place/app
if [ "$wanted" != "$(cat "$place/installed" 2>/dev/null)" ] || [ ! -x "$program/bin/fewshot" ]; then
    say "Installing fewshot. The first time this takes a few minutes and about 2 GB."
    rm -f "$place/installed"
    [ -x "$program/bin/python" ] || "$uv" venv --quiet --clear --python '>=3.11,<3.14' "$program" || stop \
        "there is no Python 3.11 to 3.13, and it could not be downloaded." "$online"
    "$uv" pip install --python "$program/bin/python" --constraint "$source/constraints.txt" \
        --editable "${source}[app,heif]" || stop \
        "a part of fewshot could not be installed; the reason is above." "$online If the disk is full, free 2 GB first."
    printf '%s\n' "$wanted" >"$place/installed"
fi

"$program/bin/python" -c 'import cv2' 2>/dev/null || stop \
    "a library of the system is missing that reads pictures." \
    "Install libgl1 and libglib2.0-0. On Debian or Ubuntu: sudo apt-get install libgl1 libglib2.0-0"

say "Opening fewshot in your browser. Leave this window open; closing it ends fewshot."
"$program/bin/fewshot" app "$@"
ended=$?
# 130 and 143: somebody ended it.
case $ended in
    0 | 129 | 130 | 143) exit 0 ;;
    *) stop "fewshot ended by itself; the reason is above." "Start it again. If that does not help, type: $program/bin/fewshot doctor" ;;
esac
