#!/bin/sh
# Fills a new volume with what the image was built with, then runs citespan with the arguments given.
#
# Everything is copied beside its place and renamed into it: a start that was cut off leaves no half copy behind.
set -eu

data=${CITESPAN_DATA_DIR:-/data}
template=/opt/citespan-template
scratch=$data/.first-start

if ! mkdir -p "$data" || ! [ -w "$data" ]; then
    echo "error: $data cannot be written by user $(id -u); mount a volume there that this user owns." >&2
    exit 2
fi

# install_copy FROM TO
install_copy() {
    rm -rf "$scratch"
    cp -R "$1" "$scratch"
    sync -f "$scratch"
    mv -T "$scratch" "$2"
}

# The exported embedder: wherever it is missing, also after an upgrade that needs another one.
mkdir -p "$data/.models"
for model in "$template"/.models/*; do
    place=$data/.models/${model##*/}
    [ -e "$place" ] || install_copy "$model" "$place"
done

# The index of seeds/: only where there is no collection at all. What someone deleted does not come back.
if [ -z "$(find "$data" -mindepth 2 -maxdepth 2 -name store.sqlite)" ]; then
    install_copy "$template/default" "$data/default"
fi

exec citespan "$@"
