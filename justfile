# The daily commands; `just` alone lists them. Checks are written in .ci/run.

set positional-arguments

# What `sam local` is told: the processor that the functions were built for, and
# where env.json finds this machine. On Linux that is Docker's bridge, where the
# stack has to listen: just run --address 172.17.0.1
here := "--parameter-overrides Architecture=" + if arch() == "aarch64" { "arm64" } else { "x86_64" }
this_machine := if os() == "linux" { "--add-host host.docker.internal:172.17.0.1" } else { "" }
in_docker := here + " --env-vars env.json " + this_machine

# The key pair that the local S3 expects, and the region it answers in.
local_aws := "AWS_ACCESS_KEY_ID=clientele AWS_SECRET_ACCESS_KEY=clientele-local AWS_DEFAULT_REGION=us-east-1"

# 9000, which cargo-lambda would take, is the stack's S3.
emulator := "--invoke-address 127.0.0.1 --invoke-port 9001"

_list:
    @just --list --unsorted

# Serve everything on this machine: HTTP on 8080, DynamoDB on 8000, S3 on 9000.
run *options:
    cargo run --release -- "$@"

# Import one file, as in: just import tests/files/customers.csv customers --dry-run
import file dataset="customers" *options:
    #!/usr/bin/env bash
    set -euo pipefail
    file=$1 dataset=${2:-customers}
    cargo run --release -- import "$file" --dataset "$dataset" "${@:3}"

# Run the tests, or those whose names match.
test *filter:
    cargo test --locked "$@"

# Formatting, warnings, documentation.
lint:
    .ci/run format lint docs

# Check the CloudFormation template and the sample events.
template:
    .ci/run template events

# Everything that must hold before a change goes in.
ci:
    .ci/run

# Licences, advisories and sources of the dependencies (needs cargo-deny).
deny:
    cargo deny check

# Build the functions for AWS (needs sam and cargo-lambda).
build *options:
    sam build "$@"

# Build them for this machine's processor, for `just invoke` and `just start-api`.
build-here *options:
    sam build "$@" {{ here }}

# Run one built function in Docker, as in: just invoke ImportFunction s3_put_csv tests/files/customers.csv
invoke function event *file: (_hand-over function)
    #!/usr/bin/env bash
    set -euo pipefail
    scripts/event "${@:2}" | {{ local_aws }} sam local invoke "$1" --event - {{ in_docker }}

# Serve the built functions that answer HTTP in Docker, on port 3000.
start-api *options: (_hand-over "ApiFunction" "PagesFunction" "DocsFunction")
    {{ local_aws }} sam local start-api --warm-containers LAZY {{ in_docker }} "$@"

# Run one function without Docker, built again at each change, as in: just watch api
watch function *options:
    #!/usr/bin/env bash
    set -euo pipefail
    exec cargo lambda watch --manifest-path "functions/$1/Cargo.toml" \
        --env-file .clientele/functions.env {{ emulator }} "${@:2}"

# Call the function that `just watch` runs, as in: just call api api_out_customers
call function event *file:
    #!/usr/bin/env bash
    set -euo pipefail
    scripts/event "${@:2}" | cargo lambda invoke "$1" --data-file /dev/stdin {{ emulator }}

# A container sees its function's folder and nothing else of this machine.
_hand-over +functions:
    #!/usr/bin/env bash
    set -euo pipefail
    for function in "$@"; do
        install -m 600 .clientele/master-key .clientele/jwks.json ".aws-sam/build/$function/"
    done

# Build, and deploy to AWS.
deploy:
    sam build
    sam deploy --guided
