"""Appends one row to the Delta table of make_tables.py: PATH DRIVER DAY RATE"""

import sys
from datetime import datetime, timezone

import pyarrow
from deltalake import write_deltalake

path, driver, day, rate = sys.argv[1:]
time = datetime(2024, 1, int(day), tzinfo=timezone.utc)
row = {
    "driver_id": pyarrow.array([int(driver)], pyarrow.int64()),
    "event_timestamp": pyarrow.array([time], pyarrow.timestamp("us", "UTC")),
    "conv_rate": pyarrow.array([float(rate)], pyarrow.float64()),
    "trips": pyarrow.array([None], pyarrow.int32()),
}
write_deltalake(path, pyarrow.table(row), mode="append")
