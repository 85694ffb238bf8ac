#!/bin/sh
# macOS: double-click. The first time: right-click, Open, Open.
exec sh "$(dirname -- "$0")/start.sh"
