# The daily commands; `just` alone lists them. Checks are written in .ci/run.

set positional-arguments

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

# Run one built function in Docker against `just run`, as in: just invoke ImportFunction s3_put_csv
invoke function event:
    #!/usr/bin/env bash
    set -euo pipefail
    # A container sees its function's folder and nothing else of this machine.
    install -m 600 .clientele/master-key ".aws-sam/build/$1/master-key"
    # The key pair that the local S3 expects, and the region it answers in.
    export AWS_ACCESS_KEY_ID=clientele AWS_SECRET_ACCESS_KEY=clientele-local AWS_DEFAULT_REGION=us-east-1
    sam local invoke "$1" --event "events/$2.json" --env-vars env.json --docker-network host

# Build, and deploy to AWS.
deploy:
    sam build
    sam deploy --guided
