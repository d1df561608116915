"""The whole of processing as one does it with pandas: read, normalise, validate, de-duplicate, number, to Arrow."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from gidbench import gid
from gidbench.records import ACTIVE, GLOBAL_ID, NAME_LENGTH, PERSONAL_NUMBER_LENGTH
from gidbench.units import utc_now

_WANTED = ["name", "personal_number", "no_ktp", "passport_id", "bod"]


def process_by_pandas(path: Path, today: date) -> pa.Table:
    """Accepted rows of a file of employees, whose dates are ISO; who is not accepted is dropped."""
    rows = pd.read_csv(path, usecols=_WANTED, dtype=str, keep_default_na=False)
    rows["name"] = rows["name"].map(lambda name: unicodedata.normalize("NFC", name)).str.strip()
    rows["no_ktp"] = rows["no_ktp"].str.replace(r"[\s.-]", "", regex=True)
    rows["passport_id"] = rows["passport_id"].str.replace(r"\s", "", regex=True).str.upper()
    rows["personal_number"] = rows["personal_number"].str.strip()
    born = pd.to_datetime(rows["bod"], format="%Y-%m-%d", errors="coerce")
    fit = rows["name"].str.len().between(*NAME_LENGTH)
    fit &= rows["no_ktp"].str.fullmatch(r"[0-9]{16}") & ~rows["no_ktp"].str.fullmatch(r"(.)\1*")
    fit &= born.between(pd.Timestamp(1900, 1, 1), pd.Timestamp(today))
    fit &= (rows["passport_id"] == "") | rows["passport_id"].str.fullmatch(r"[A-Z]{1,2}[0-9]{6,8}")
    fit &= rows["personal_number"].str.len() <= PERSONAL_NUMBER_LENGTH[1]
    rows = rows.assign(bod=born)[fit].drop_duplicates("no_ktp")
    rows["g_id"] = gids(len(rows))
    lacking = rows["personal_number"] == ""
    rows.loc[lacking, "personal_number"] = "GID-" + rows.loc[lacking, "g_id"]
    rows["passport_id"] = rows["passport_id"].where(rows["passport_id"] != "", None)
    moment = utc_now()
    rows = rows.assign(status=ACTIVE, source="file", created_at=moment, updated_at=moment)
    return pa.Table.from_pandas(rows[GLOBAL_ID.names], schema=GLOBAL_ID, preserve_index=False)


def gids(count: int, first: int = gid.FIRST_ORDINAL) -> npt.NDArray[np.object_]:
    """So many G_IDs from an ordinal on, by columns of digits and letters."""
    ordinals = np.arange(first, first + count)
    letters = np.array([chr(65 + place) for place in range(26)], object)
    digits = np.array([f"{place:03}" for place in range(1000)], object)
    pairs = np.array([f"{place:02}" for place in range(100)], object)
    first = "G" + digits[ordinals // 67_600] + letters[ordinals // 2_600 % 26]
    found: npt.NDArray[np.object_] = first + letters[ordinals // 100 % 26] + pairs[ordinals % 100]
    return found
