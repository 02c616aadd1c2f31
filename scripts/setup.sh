#!/usr/bin/env bash
# Installs what the tests need besides Rust, from ordinary packages: Debian, PyPI and npm.
#
# Says what it does, does nothing that is done already, and is run by `make test`. What cannot be installed is named, and
# the tests that need it say that they are skipped; with REQUIRE_COUNTERPARTS=1 it is an error instead.
set -euo pipefail
cd "$(dirname "$0")/.."

CARGO="${CARGO:-cargo}"
REQUIRE="${REQUIRE_COUNTERPARTS:-0}"

say() { printf 'setup: %s\n' "$*"; }

lacks() {
    say "$*"
    if [ "$REQUIRE" = 1 ]; then
        exit 1
    fi
}

# A command, or several places where it may be, and the Debian packages that have it.
DEBIAN_PACKAGES="
cc=gcc
age=age
node=nodejs
npm=npm
initdb|/usr/lib/postgresql/*/bin/initdb=postgresql
/usr/sbin/mariadbd=mariadb-server-core,mariadb-client-core
/usr/sbin/slapd=slapd
/usr/lib/ldap/pw-sha2.so=slapd-contrib
ldapsearch=ldap-utils
"

# Whether one of the places $1 (separated by |) has a command or file.
is_there() {
    local place path
    while read -r place; do
        command -v "$place" >/dev/null && return 0
        for path in $place; do
            [ -e "$path" ] && return 0
        done
    done < <(tr '|' '\n' <<<"$1")
    return 1
}

# Tests start servers themselves, as throwaway instances: those that packages bring are not to be started here.
without_services() {
    local guard=/usr/sbin/policy-rc.d made=0 status=0
    if [ ! -e "$guard" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null && "${as_root[@]}" chmod 755 "$guard"
        made=1
    fi
    "$@" || status=$?
    [ "$made" = 0 ] || "${as_root[@]}" rm -f "$guard"
    return "$status"
}

install_debian() {
    local wanted=() pair packages
    for pair in $DEBIAN_PACKAGES; do
        IFS=, read -ra packages <<<"${pair#*=}"
        is_there "${pair%%=*}" || wanted+=("${packages[@]}")
    done
    [ "${#wanted[@]}" -gt 0 ] || return 0
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            lacks "not installed, and there is no sudo: ${wanted[*]}"
            return 0
        fi
        as_root=(sudo)
    fi
    if ! command -v apt-get >/dev/null; then
        lacks "not installed, and this is no Debian: ${wanted[*]}"
        return 0
    fi
    say "installing from Debian: ${wanted[*]}"
    "${as_root[@]}" apt-get update -qq || true
    without_services "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" ||
        lacks "Debian did not give: ${wanted[*]}"
}

# Whether the folder $1 was made from the lock file $2 as it is now.
is_made_from() {
    [ -f "$1/.made-from" ] && [ "$(cat "$1/.made-from")" = "$(sha256sum <"$2")" ]
}

install_npm() {
    local lock folder
    for lock in counterparts/*/package-lock.json; do
        [ -f "$lock" ] || continue
        folder="$(dirname "$lock")"
        is_made_from "$folder/node_modules" "$lock" && continue
        if ! command -v npm >/dev/null; then
            lacks "npm is not there: tests with $folder are skipped"
            continue
        fi
        say "installing from npm: $folder"
        if (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error); then
            sha256sum <"$lock" >"$folder/node_modules/.made-from"
        else
            lacks "npm could not install $folder: its tests are skipped"
        fi
    done
}

install_python() {
    local pins=counterparts/requirements.txt venv=counterparts/venv
    [ -f "$pins" ] || return 0
    is_made_from "$venv" "$pins" && return 0
    say "installing from PyPI: $pins into $venv"
    if python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$pins"; then
        sha256sum <"$pins" >"$venv/.made-from"
    else
        lacks "PyPI packages could not be installed (Debian has python3-venv): their tests are skipped"
    fi
}

# The test runner; without it `cargo test` does, one binary after the other.
install_runner() {
    "$CARGO" nextest --version >/dev/null 2>&1 && return 0
    say "installing the test runner: cargo-nextest"
    "$CARGO" install --quiet --locked cargo-nextest || say "cargo-nextest could not be installed: cargo's own runner is used"
}

install_debian
install_npm
install_python
install_runner
say "everything that could be installed is there"
