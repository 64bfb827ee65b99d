#!/bin/sh
# Gives a new volume the index of seeds/ that the image was built with, then runs citespan with the arguments given.
#
# Only where nothing was ever served and there is no collection at all: what someone deleted does not come back. The
# copy is made beside its place and renamed into it, so that a start that was cut off leaves no half of it behind.
set -eu

data=${CITESPAN_DATA_DIR:-/data}
scratch=$data/.first-start

if ! mkdir -p "$data" || ! [ -w "$data" ]; then
    echo "error: $data cannot be written by user $(id -u); mount a volume there that this user owns." >&2
    exit 2
fi

if ! [ -e "$data/.write.lock" ] && [ -z "$(find "$data" -mindepth 2 -maxdepth 2 -name store.sqlite)" ]; then
    rm -rf "$scratch"
    cp -R /opt/citespan-template/default "$scratch"
    sync -f "$scratch"
    mv -T "$scratch" "$data/default"
fi

exec citespan "$@"
