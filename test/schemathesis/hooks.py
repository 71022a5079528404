"""What Schemathesis has to know of GoChat beside its OpenAPI document."""

import re
import sys
import unicodedata

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Refusals of requests that fit the document: what is stored decides, or a rule over two parameters, or a count of bytes.
BEYOND_SCHEMAS = (
    "must be a nextCursor of this list",
    "must not be given together with offset",
    "names no message",
    "must name another user",
    "must be 0 to the last seq id of the conversation",
    "must be 1 to 64 bytes",
    "many people use",
    "must not be the username",
    "must be user ids",
    # The content of an image or a file, which is JSON in a string.
    "content must be a file",
    "content.",
)


@schemathesis.check
def accepts_what_fits_the_document(ctx, response, case):
    if response.status_code == 400 and any(words in response.text for words in BEYOND_SCHEMAS):
        return None
    return positive_data_acceptance(ctx, response, case)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Spells \\p{…} out: Schemathesis takes the letters of Latin for all that there are."""
    spell_out(raw_schema)


def spell_out(node):
    if isinstance(node, list):
        for part in node:
            spell_out(part)
    elif isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            node["pattern"] = node["pattern"].replace(r"[\p{L}\p{N}\p{P}\p{S}]", VISIBLE)
        for part in node.values():
            spell_out(part)


def characters_of(categories):
    """A character class of all that is in one of these general categories."""
    ranges = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] not in categories:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges) + "]"


VISIBLE = characters_of("LNPS")
