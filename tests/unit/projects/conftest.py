"""What tests of the domain of projects begin with."""

from __future__ import annotations

import pytest

from projects.domain.pathways import Template
from projects.pathway_templates import NEWEST, template


@pytest.fixture
def way() -> Template:
    return template(NEWEST)
