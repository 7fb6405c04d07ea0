"""Feast's side of the comparison: `repo.py materialize|read|frame FOLDER OPTIONS`, where OPTIONS is JSON.

What is measured prints a line of JSON with its seconds and then waits for a line, so that whoever measures can look at
the memory before anything else happens. Opening the store and registering are not measured.
"""

import contextlib
import json
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import yaml
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64

FEATURES = [f"f{i}" for i in range(10)]


def open_store(folder, options):
    """A store over FOLDER/<view>.parquet, with one feature view for each."""
    repo = Path(folder, "feast")
    repo.mkdir(exist_ok=True)
    config = {
        "project": "bench",
        "provider": "local",
        "registry": str(repo / "registry.db"),
        "entity_key_serialization_version": 3,
        "offline_store": {"type": options["offline"]},
        "online_store": {"type": "redis", "connection_string": options["redis"]}
        if "redis" in options
        else {"type": "sqlite", "path": str(repo / "online.db")},
        "materialization": options.get("materialization", {}),
    }
    (repo / "feature_store.yaml").write_text(yaml.safe_dump(config))
    store = FeatureStore(repo_path=str(repo))
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=view,
            entities=[driver],
            ttl=timedelta(days=options["ttlDays"]),
            source=FileSource(
                name=f"{view}_source",
                path=str(Path(folder, f"{view}.parquet")),
                timestamp_field="event_timestamp",
                created_timestamp_column="created",
            ),
            schema=[Field(name="driver_id", dtype=Int64), *(Field(name=name, dtype=Float64) for name in FEATURES)],
        )
        for view in options["views"]
    ]
    store.apply([driver, *views])
    return store


def report(**measured):
    print(json.dumps(measured), flush=True)
    sys.stdin.readline()


def materialize(folder, options):
    start, end = (datetime.fromtimestamp(at / 1e6, timezone.utc) for at in options["between"])
    with contextlib.redirect_stdout(sys.stderr):
        store = open_store(folder, options)
        began = time.perf_counter()
        store.materialize(start, end)
        seconds = time.perf_counter() - began
    report(seconds=seconds)


def read(folder, options):
    """Values of the first view, one list for each key."""
    with contextlib.redirect_stdout(sys.stderr):
        store = open_store(folder, options)
        answer = store.get_online_features(
            [f"{options['views'][0]}:{name}" for name in FEATURES],
            [{"driver_id": key} for key in options["keys"]],
        ).to_dict()
    report(rows=list(zip(*(answer[name] for name in FEATURES))))


def frame(folder, options):
    """All views joined to the entity rows: as a DataFrame, or written to Parquet by Feast itself."""
    import pyarrow.parquet as pq
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage

    with contextlib.redirect_stdout(sys.stderr):
        store = open_store(folder, options)
        entities = pq.read_table(Path(folder, "entities.parquet")).to_pandas()
        began = time.perf_counter()
        job = store.get_historical_features(
            entity_df=entities,
            features=[f"{view}:{name}" for view in options["views"] for name in FEATURES],
            full_feature_names=True,
        )
        if options["form"] == "parquet":
            job.persist(SavedDatasetFileStorage(options["output"]), allow_overwrite=True)
        else:
            found = job.to_df()
        seconds = time.perf_counter() - began
    report(seconds=seconds)
    if options["form"] != "parquet":
        found.to_parquet(options["output"])


if __name__ == "__main__":
    verb, folder, options = sys.argv[1:]
    {"materialize": materialize, "read": read, "frame": frame}[verb](folder, json.loads(options))
