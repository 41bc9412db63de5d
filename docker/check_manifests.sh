#!/bin/sh
# Checks the Kubernetes manifests against the published schemas: make manifests-check
set -eu
cd "$(dirname "$0")/.."
python3 -m venv build/manifests
build/manifests/bin/pip install --quiet kubernetes-validate
for file in docker/kubernetes/*.yaml; do
    build/manifests/bin/kubernetes-validate --strict "$file"
done
