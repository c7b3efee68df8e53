#!/bin/sh
# Make the certificates of the tests again; needs OpenSSL 3.4 or later. No test runs this.
#   ca       signs the others, and is what a test trusts
#   good     127.0.0.1 and localhost
#   other    another host, jira.example.com
#   expired  127.0.0.1, until 2021
#   alone    127.0.0.1, signed by itself
# All share one key. They are valid for a century, and no machine outside the tests trusts them.
set -eu
cd "$(dirname "$0")"
from=20200101000000Z until=21200101000000Z
leaf='keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
basicConstraints=critical,CA:FALSE'
here='subjectAltName=IP:127.0.0.1,DNS:localhost'
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/ca.key"
openssl req -x509 -new -key "$work/ca.key" -subj '/CN=ticketr tests' -out ca.pem \
  -not_before $from -not_after $until -addext keyUsage=critical,keyCertSign
openssl req -x509 -new -key key.pem -subj /CN=127.0.0.1 -out alone.pem \
  -not_before $from -not_after $until -addext "$here"

signed() { # name, end, host
  printf '%s\n%s\n' "$leaf" "$3" > "$work/extensions"
  openssl req -new -key key.pem -subj "/CN=ticketr test $1" |
    openssl x509 -req -CA ca.pem -CAkey "$work/ca.key" -extfile "$work/extensions" \
      -not_before $from -not_after "$2" -out "$1.pem"
}
signed good $until "$here"
signed other $until subjectAltName=DNS:jira.example.com
signed expired 20210101000000Z "$here"
