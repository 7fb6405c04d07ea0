"""Makes tables with history in a folder, and prints as JSON what a right reader returns of each snapshot.

Rows are [driver_id, day of January 2024, conv_rate] and, since the column was added, trips.
"""

import base64
import json
import pathlib
import struct
import sys
from datetime import datetime, timezone

import pyarrow
import pyarrow.parquet
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.table import StaticTable
from pyiceberg.typedef import Record
from pyiceberg.types import IntegerType

folder = pathlib.Path(sys.argv[1]).resolve()


def table(rows, trips=None):
    columns = {
        "driver_id": pyarrow.array([row[0] for row in rows], pyarrow.int64()),
        "event_timestamp": pyarrow.array(
            [datetime(2024, 1, row[1], tzinfo=timezone.utc) for row in rows], pyarrow.timestamp("us", "UTC")
        ),
        "conv_rate": pyarrow.array([row[2] for row in rows], pyarrow.float64()),
    }
    if trips is not None:
        columns["trips"] = pyarrow.array(trips, pyarrow.int32())
    return pyarrow.table(columns)


def rows_of(read):
    rows = [
        [value.day if isinstance(value, datetime) else value for value in row.values()] for row in read.to_pylist()
    ]
    return sorted(rows, key=lambda row: (row[0], row[1]))


def make_delta(path):
    """Append, update, delete, merge, a new column, a checkpoint, a null and a compaction."""
    write_deltalake(path, table([(1, 1, 0.1), (2, 1, 0.2), (3, 1, 0.3)]))
    write_deltalake(path, table([(1, 2, 0.15), (4, 2, 0.4)]), mode="append")
    DeltaTable(path).update(predicate="driver_id = 2", updates={"conv_rate": "0.25"})
    DeltaTable(path).delete("driver_id = 3")
    merge = DeltaTable(path).merge(
        table([(4, 2, 0.45), (5, 3, 0.5)]), predicate="t.driver_id = s.driver_id", source_alias="s", target_alias="t"
    )
    merge.when_matched_update_all().when_not_matched_insert_all().execute()
    write_deltalake(path, table([(6, 4, 0.6)], [60]), mode="append", schema_mode="merge")
    DeltaTable(path).create_checkpoint()
    write_deltalake(path, table([(7, 5, None)], [70]), mode="append")
    DeltaTable(path).optimize.compact()
    newest = DeltaTable(path).version()
    return [rows_of(DeltaTable(path, version=one).to_pyarrow_table()) for one in range(newest + 1)]


def make_deletion_vector(path):
    """Rows 1 and 3 of the only file are deleted by a vector, in the form that Spark and Databricks write.

    By hand: nothing on PyPI writes them. https://github.com/delta-io/delta/blob/master/PROTOCOL.md#deletion-vectors
    """
    write_deltalake(path, table([(driver, 1, driver / 10) for driver in range(5)]))
    log = pathlib.Path(path, "_delta_log")
    actions = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
    add = next(action["add"] for action in actions if "add" in action)
    deleted = [1, 3]
    container = struct.pack("<IIHHI", 12346, 1, 0, len(deleted) - 1, 16) + struct.pack("<2H", *deleted)
    vector = struct.pack("<IQI", 1681511377, 1, 0) + container
    descriptor = {
        "storageType": "i",
        "pathOrInlineDv": base64.z85encode(vector).decode() if hasattr(base64, "z85encode") else z85(vector),
        "sizeInBytes": len(vector),
        "cardinality": len(deleted),
    }
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    commit = [
        {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}},
        {"remove": {"path": add["path"], "dataChange": True, "deletionTimestamp": 0}},
        {"add": {**add, "deletionVector": descriptor}},
    ]
    (log / f"{1:020}.json").write_text("\n".join(json.dumps(action) for action in commit))
    return [[driver, 1, driver / 10] for driver in range(5) if driver not in deleted]


def z85(data):
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    words = struct.unpack(f">{len(data) // 4}I", data)
    return "".join(digits[word // 85**place % 85] for word in words for place in (4, 3, 2, 1, 0))


def make_iceberg(folder, warehouse, properties):
    """An empty table, two appends, a delete that copies on write, and a new column with an append."""
    catalog = SqlCatalog("local", uri=f"sqlite:///{folder}/catalog.db", warehouse=warehouse, **properties)
    catalog.create_namespace("db")
    first = table([(1, 1, 0.1), (2, 1, 0.2), (3, 1, 0.3)])
    catalog.create_table("db.empty", schema=first.schema)
    made = catalog.create_table("db.stats", schema=first.schema)
    made.append(first)
    made.append(table([(1, 2, 0.15), (4, 2, 0.4)]))
    made.delete("driver_id = 3")
    with made.update_schema() as update:
        update.add_column("trips", IntegerType())
    made.append(table([(6, 4, 0.6)], [60]))
    made = catalog.load_table("db.stats")
    return {
        "location": made.location(),
        "metadata_file": made.metadata_location,
        "snapshots": [
            {"id": str(one.snapshot_id), "rows": rows_of(made.scan(snapshot_id=one.snapshot_id).to_arrow())}
            for one in made.metadata.snapshots
        ],
    }


class DeleteManifestWriter(ManifestWriterV2):
    def content(self):
        return ManifestContent.DELETES

    @property
    def _meta(self):
        return {**super()._meta, "content": "deletes"}


def make_position_deletes(folder):
    """Rows 1 and 3 of the only file are deleted by their positions, as Spark and Flink do on merge-on-read tables.

    By hand: pyiceberg reads such files and writes none. https://iceberg.apache.org/spec/#position-delete-files
    """
    catalog = SqlCatalog("local", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
    rows = table([(driver, 1, driver / 10) for driver in range(5)])
    made = catalog.create_table("db.merged", schema=rows.schema, properties={"format-version": "2"})
    made.append(rows)
    (data,) = [task.file for task in made.scan().plan_files()]
    before = made.current_snapshot()
    parquet = f"{made.location()}/data/deletes.parquet"
    identified = pyarrow.schema(
        [
            pyarrow.field("file_path", pyarrow.string(), False, {"PARQUET:field_id": "2147483546"}),
            pyarrow.field("pos", pyarrow.int64(), False, {"PARQUET:field_id": "2147483545"}),
        ]
    )
    deleted = pyarrow.table({"file_path": [data.file_path] * 2, "pos": [1, 3]}, schema=identified)
    pyarrow.parquet.write_table(deleted, parquet.removeprefix("file://"))
    snapshot, sequence = before.snapshot_id + 1, before.sequence_number + 1
    output = made.io.new_output(f"{made.location()}/metadata/deletes.avro")
    with DeleteManifestWriter(made.spec(), made.schema(), output, snapshot, "deflate") as manifest:
        manifest.add_entry(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED,
                snapshot_id=snapshot,
                data_file=DataFile.from_args(
                    content=DataFileContent.POSITION_DELETES,
                    file_path=parquet,
                    file_format=FileFormat.PARQUET,
                    partition=Record(),
                    record_count=2,
                    file_size_in_bytes=pathlib.Path(parquet.removeprefix("file://")).stat().st_size,
                ),
            )
        )
    listed = f"{made.location()}/metadata/snap-deletes.avro"
    kept = before.manifests(made.io)
    with write_manifest_list(2, made.io.new_output(listed), snapshot, before.snapshot_id, sequence, "deflate") as list_:
        list_.add_manifests([*kept, manifest.to_manifest_file()])
    metadata = json.loads(pathlib.Path(made.metadata_location.removeprefix("file://")).read_text())
    metadata["snapshots"].append(
        {
            "snapshot-id": snapshot,
            "parent-snapshot-id": before.snapshot_id,
            "sequence-number": sequence,
            "timestamp-ms": before.timestamp_ms + 1,
            "manifest-list": listed,
            "summary": {"operation": "delete"},
            "schema-id": before.schema_id,
        }
    )
    metadata["last-sequence-number"] = sequence
    metadata["last-updated-ms"] = before.timestamp_ms + 1
    metadata["current-snapshot-id"] = snapshot
    metadata["refs"]["main"]["snapshot-id"] = snapshot
    metadata["snapshot-log"].append({"snapshot-id": snapshot, "timestamp-ms": before.timestamp_ms + 1})
    committed = f"{made.location()}/metadata/00002-deletes.metadata.json"
    pathlib.Path(committed.removeprefix("file://")).write_text(json.dumps(metadata))
    return rows_of(StaticTable.from_metadata(committed).scan().to_arrow())


# FOLDER, or FOLDER ENDPOINT BUCKET: then an Iceberg table in S3 alone.
if len(sys.argv) > 2:
    endpoint, bucket = sys.argv[2:]
    folder.mkdir(parents=True)
    keys = {"s3.access-key-id": "test", "s3.secret-access-key": "test", "s3.region": "us-east-1"}
    made = make_iceberg(folder, f"s3://{bucket}/iceberg", {"s3.endpoint": endpoint, **keys})
    print(json.dumps({"iceberg": made}))
else:
    (folder / "iceberg").mkdir(parents=True)
    print(
        json.dumps(
            {
                "delta": make_delta(str(folder / "delta" / "stats")),
                "vector": make_deletion_vector(str(folder / "delta" / "vector")),
                "iceberg": make_iceberg(folder / "iceberg", f"file://{folder}/iceberg", {}),
                "merged": make_position_deletes(folder / "iceberg"),
            }
        )
    )
