#!/usr/bin/env python3
# SPDX-FileCopyrightText: The EnvelopeKit authors
# SPDX-License-Identifier: Apache-2.0
"""Ships lines to CloudWatch Logs or documents to X-Ray, and prints what these give back as the AWS CLI does.

    ship_telemetry.py SETTINGS logs GROUP STREAM FILE    puts the lines of a file into a log stream
    ship_telemetry.py SETTINGS traces FILE               puts the lines of a file, each a segment document
    ship_telemetry.py SETTINGS get-log-events GROUP STREAM
    ship_telemetry.py SETTINGS filter-log-events GROUP
    ship_telemetry.py SETTINGS get-trace-summaries
    ship_telemetry.py SETTINGS batch-get-traces TRACE-ID...

SETTINGS is a JSON object with url, ca, access_key and secret_key, as key_service.py prints it, or the name of a file
with one. `logs` prints how many events were put, `traces` the trace ids, a JSON object each.
"""

import datetime
import json
import pathlib
import sys
import time

import boto3
from botocore.config import Config

# The limits of PutLogEvents and of PutTraceSegments.
MOST_BYTES, MOST_EVENTS, EVENT_OVERHEAD, MOST_DOCUMENTS, MOST_TRACES = 1_048_576, 10_000, 26, 25, 5


def client_of(settings, service, region="us-east-1"):
    return boto3.session.Session().client(
        service, endpoint_url=settings["url"], region_name=region, verify=settings["ca"],
        aws_access_key_id=settings["access_key"], aws_secret_access_key=settings["secret_key"],
        config=Config(retries={"total_max_attempts": 4, "mode": "standard"}),
    )  # fmt: skip


def lines_of(path):
    return [line for line in pathlib.Path(path).read_bytes().decode("utf-8").split("\n") if line]


def batches(lines):
    """Batches within the limits of PutLogEvents."""
    batch, size = [], 0
    for line in lines:
        length = len(line.encode("utf-8")) + EVENT_OVERHEAD
        if batch and (size + length > MOST_BYTES or len(batch) == MOST_EVENTS):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield batch


def put_log_events(client, group, stream, lines):
    for create, named in (
        (client.create_log_group, {"logGroupName": group}),
        (client.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
    ):
        try:
            create(**named)
        except client.exceptions.ResourceAlreadyExistsException:
            pass
    count, start = 0, int(time.time() * 1000)
    for batch in batches(lines):
        # Events of one batch are in the order of their times.
        events = [{"timestamp": start + (count + n) // 100, "message": line} for n, line in enumerate(batch)]
        answer = client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        if answer.get("rejectedLogEventsInfo"):
            raise SystemExit(f"rejected: {answer['rejectedLogEventsInfo']}")
        count += len(batch)
    return count


def get_log_events(client, group, stream):
    """All events of a stream, page after page, in the answer of the first."""
    named = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    answer = client.get_log_events(**named)
    token, more = answer["nextForwardToken"], answer
    while more["events"]:
        more = client.get_log_events(**named, nextToken=token)
        if more["nextForwardToken"] == token:
            break
        token = more["nextForwardToken"]
        answer["events"] += more["events"]
    return answer


def filter_log_events(client, group):
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group)
    return pages.build_full_result()


def put_trace_segments(client, documents):
    for start in range(0, len(documents), MOST_DOCUMENTS):
        answer = client.put_trace_segments(TraceSegmentDocuments=documents[start : start + MOST_DOCUMENTS])
        if answer.get("UnprocessedTraceSegments"):
            raise SystemExit(f"unprocessed: {answer['UnprocessedTraceSegments']}")
    return sorted({json.loads(document)["trace_id"] for document in documents})


def get_trace_summaries(client):
    now = datetime.datetime.now(datetime.timezone.utc)
    return client.get_trace_summaries(StartTime=now - datetime.timedelta(hours=6), EndTime=now + datetime.timedelta(hours=1))


def batch_get_traces(client, identifiers):
    answer = {"Traces": [], "UnprocessedTraceIds": []}
    for start in range(0, len(identifiers), MOST_TRACES):
        part = client.batch_get_traces(TraceIds=identifiers[start : start + MOST_TRACES])
        for name in answer:
            answer[name] += part.get(name, [])
    return answer


def as_cli(answer):
    """The JSON that the AWS CLI prints."""
    answer = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    return json.dumps(answer, indent=4, ensure_ascii=False, default=lambda time: time.isoformat())


def main(arguments):
    if len(arguments) < 2:
        raise SystemExit(__doc__)
    settings, command, *rest = arguments
    settings = json.loads(settings if settings.startswith("{") else pathlib.Path(settings).read_text())
    client = client_of(settings, "xray" if "trace" in command else "logs")
    if command == "logs":
        print(json.dumps({"events": put_log_events(client, rest[0], rest[1], lines_of(rest[2]))}))
    elif command == "traces":
        print(json.dumps({"traces": put_trace_segments(client, lines_of(rest[0]))}))
    elif command == "get-log-events":
        print(as_cli(get_log_events(client, *rest)))
    elif command == "filter-log-events":
        print(as_cli(filter_log_events(client, *rest)))
    elif command == "get-trace-summaries":
        print(as_cli(get_trace_summaries(client)))
    elif command == "batch-get-traces":
        print(as_cli(batch_get_traces(client, rest)))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
