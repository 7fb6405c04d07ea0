"""Reads a JSON list of SQL statements, writes a JSON list of findings: what is wrong with them as statements of Amazon Redshift.

sqlglot (https://github.com/tobymao/sqlglot) parses Redshift's dialect, and takes more than Redshift does: constructs of other
engines and any function. Those are looked for here. The argument is a file of the functions that Redshift has.
"""

import json
import logging
import re
import sys

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

logging.getLogger("sqlglot").setLevel(logging.ERROR)

STATEMENT_BYTES = 100 * 1024
NAME_BYTES = 127

UNLOAD = re.compile(
    r"""\s*unload\s*\(\s*(?:'(?P<quoted>(?:[^'\\]|''|\\.)*)'|\$\$(?P<plain>.*?)\$\$)\s*\)\s*
    to\s*'s3://(?P<place>[^']+)'\s*(?P<options>.*)""",
    re.I | re.S | re.X,
)
UNLOAD_OPTIONS = re.compile(
    r"""(?:iam_role\s+(?:default|'arn:[^']+')|(?:format\s+(?:as\s+)?)?parquet|manifest(?:\s+verbose)?|allowoverwrite|cleanpath
    |parallel\s+(?:on|off|true|false)|maxfilesize\s+(?:as\s+)?[\d.]+(?:\s*[mg]b)?|rowgroupsize\s+(?:as\s+)?\d+(?:\s*[mg]b)?
    |partition\s+by\s*\([^)]*\)(?:\s+include)?|region\s+(?:as\s+)?'[^']+'|encrypted(?:\s+auto)?|kms_key_id\s+(?:as\s+)?'[^']+'
    |extension\s+'[^']+')(?:\s+|$)""",
    re.I | re.X,
)

MISSING_TYPES = {
    "UUID", "JSON", "JSONB", "ARRAY", "STRUCT", "MAP", "SERIAL", "BIGSERIAL", "SMALLSERIAL", "MONEY", "XML", "INET", "HSTORE",
    "UTINYINT", "USMALLINT", "UINT", "UBIGINT", "INT128", "INT256", "BIT",
}  # fmt: skip
LEADER_ONLY = {"now", "current_time", "current_timestamp", "localtime", "localtimestamp", "age", "generate_series"}
# What they give does not depend on a frame.
RANKING = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead)
# Words that stand before a parenthesis and call nothing, as far as the tokenizer gives them as names.
NO_CALLS = {"partition", "group", "values", "cast", "distkey", "sortkey", "encode", "within", "over", "varbyte", "super"}
# Names of functions that the tokenizer gives as keywords.
KEYWORD_CALLS = {TokenType.LEFT, TokenType.RIGHT, TokenType.REPLACE}


def constructs(tree):
    """What other engines have."""
    for node in tree.walk():
        if isinstance(node, exp.Join):
            kind = node.args.get("method") or node.args.get("kind") or ""
            if str(kind).upper() in ("ASOF", "SEMI", "ANTI", "POSITIONAL"):
                yield f"{kind} JOIN"
        elif isinstance(node, exp.Lateral):
            yield "LATERAL"
        elif isinstance(node, exp.Filter):
            yield "FILTER of an aggregate"
        elif isinstance(node, exp.Distinct) and node.args.get("on"):
            yield "DISTINCT ON"
        elif isinstance(node, exp.Values) and not isinstance(node.parent, exp.Insert):
            yield "VALUES as a table"
        elif isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
            yield "IS DISTINCT FROM"
        elif isinstance(node, exp.WindowSpec) and str(node.args.get("kind")).upper() != "ROWS":
            yield f"a frame of {node.args.get('kind')}"
        elif isinstance(node, exp.Window):
            yield from frameless(node)
        elif isinstance(node, exp.Subquery) and isinstance(node.parent, (exp.From, exp.Join)) and not node.alias:
            yield "a subquery in FROM without an alias"
        elif isinstance(node, exp.DataType):
            if node.this.name in MISSING_TYPES and not isinstance(node.parent, exp.Array):
                yield f"the type {node.this.name}"
        elif isinstance(node, exp.CTE) and node.args.get("materialized") is not None:
            yield "MATERIALIZED of WITH"
        elif isinstance(node, (exp.Except, exp.Intersect)) and node.args.get("distinct") is False:
            yield "ALL of EXCEPT and INTERSECT"
        elif isinstance(node, (exp.Struct, exp.OnConflict, exp.Returning, exp.TableSample, exp.Fetch, exp.Lock)):
            yield type(node).__name__
        elif isinstance(node, exp.Create) and node.kind == "INDEX":
            yield "an index"
        elif isinstance(node, exp.Select) and node.args.get("windows"):
            yield "the WINDOW clause"
        elif isinstance(node, exp.Identifier):
            if len(node.this.encode()) > NAME_BYTES:
                yield f"a name of more than {NAME_BYTES} bytes: {node.this[:20]}…"
            if node.quoted and node.this != node.this.lower():
                yield f'a name that is folded to lower case: "{node.this}"'


def frameless(window):
    if not window.args.get("order") or window.args.get("spec"):
        return
    function = window.this
    while isinstance(function, (exp.IgnoreNulls, exp.RespectNulls)):
        function = function.this
    if isinstance(function, exp.Func) and not isinstance(function, RANKING):
        yield f"{function.sql_name().lower()} OVER (… ORDER BY …) without a ROWS frame"


def calls(sql, tree, known):
    """Names that are called in the text: the tree has other names for them."""
    tables = (exp.TableAlias, exp.Table, exp.CTE)
    named = {i.this.lower() for node in tree.walk() if isinstance(node, tables) for i in node.find_all(exp.Identifier)}
    all_tokens = sqlglot.tokenize(sql, read="redshift")
    for before, token, after in zip([None, *all_tokens], all_tokens, [*all_tokens[1:], None]):
        name = token.text.lower()
        is_call = after is not None and after.token_type == TokenType.L_PAREN
        is_member = before is not None and before.token_type == TokenType.DOT
        if token.token_type == TokenType.COMMA and (after is None or after.token_type in (TokenType.FROM, TokenType.R_PAREN)):
            yield "a comma too many"
        if after is not None and name == "nulls" and after.text.lower() in ("first", "last") and in_window(all_tokens, token):
            # The guide's page of window functions has it, that of unsupported features denies it.
            yield "NULLS FIRST or LAST of a window"
        if token.token_type == TokenType.ARRAY and after is not None and after.token_type == TokenType.L_BRACKET:
            yield "ARRAY[…]"
        if token.token_type in (TokenType.CURRENT_TIMESTAMP, TokenType.CURRENT_TIME) or (
            name in LEADER_ONLY and is_call and not is_member
        ):
            yield f"{name} on compute nodes"
        elif is_call and not is_member and (token.token_type == TokenType.VAR or token.token_type in KEYWORD_CALLS):
            is_alias = before is not None and before.token_type == TokenType.ALIAS
            if name not in known | NO_CALLS | named and not is_alias:
                yield f"the function {name}"


def in_window(all_tokens, token):
    """Whether the parenthesis around a token is one of OVER."""
    depth = 0
    for index in range(all_tokens.index(token), 0, -1):
        kind = all_tokens[index].token_type
        depth += (kind == TokenType.R_PAREN) - (kind == TokenType.L_PAREN)
        if depth < 0:
            return all_tokens[index - 1].text.lower() == "over"
    return False


def findings(sql, known):
    if len(sql.encode()) > STATEMENT_BYTES:
        yield "more than the 100 KB that the Data API takes"
    if re.match(r"\s*unload\b", sql, re.I):
        yield from findings_of_unload(sql, known)
        return
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="redshift", error_level=sqlglot.ErrorLevel.RAISE) if tree]
    except (SqlglotError, ValueError) as error:
        yield f"syntax: {re.sub(chr(27) + r'.[0-9;]*m', '', str(error))}"
        return
    if len(trees) != 1:
        yield f"{len(trees)} statements in one text"
        return
    [tree] = trees
    if isinstance(tree, exp.Command) and tree.name.upper() not in ("BEGIN", "END", "ROLLBACK", "COMMIT"):
        yield f"{tree.name}, which is not understood here"
    yield from dict.fromkeys(constructs(tree))
    yield from dict.fromkeys(calls(sql, tree, known))


def findings_of_unload(sql, known):
    """sqlglot takes any text that begins with the word."""
    found = UNLOAD.fullmatch(sql)
    if found is None:
        yield "UNLOAD ('select') TO 's3://…' … is malformed: are quotes inside the select doubled?"
        return
    if found["place"].rsplit("/", 1)[-1][:1] in ("_", "."):
        yield "a prefix of UNLOAD that begins with _ or ."
    rest = found["options"].rstrip("; \n")
    if not re.search(r"\biam_role\b", rest, re.I):
        yield "UNLOAD without IAM_ROLE"
    while rest:
        option = UNLOAD_OPTIONS.match(rest)
        if option is None:
            yield f"an option that UNLOAD lacks: {rest[:40]}"
            break
        rest = rest[option.end() :]
    select = found["plain"] if found["quoted"] is None else re.sub(r"(['\\])(.)", r"\2", found["quoted"], flags=re.S)
    yield from findings(select, known)
    try:
        if sqlglot.parse_one(select, read="redshift").args.get("limit"):
            yield "LIMIT in the outer SELECT of UNLOAD"
    except SqlglotError:
        # It is told already.
        pass


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        known = {name for line in lines if not line.startswith("#") for name in line.split()}
    statements = json.load(sys.stdin)
    json.dump([f"{finding} | {' '.join(sql.split())[:200]}" for sql in statements for finding in findings(sql, known)], sys.stdout)


main()
