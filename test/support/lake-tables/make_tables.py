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
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog
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


def make_iceberg(warehouse):
    """An empty table, two appends, a delete that copies on write, and a new column with an append."""
    catalog = SqlCatalog("local", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}")
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
        "metadata_file": made.metadata_location.removeprefix("file://"),
        "snapshots": [
            {"id": str(one.snapshot_id), "rows": rows_of(made.scan(snapshot_id=one.snapshot_id).to_arrow())}
            for one in made.metadata.snapshots
        ],
    }


(folder / "iceberg").mkdir(parents=True)
print(
    json.dumps(
        {
            "delta": make_delta(str(folder / "delta" / "stats")),
            "vector": make_deletion_vector(str(folder / "delta" / "vector")),
            "iceberg": make_iceberg(str(folder / "iceberg")),
        }
    )
)
