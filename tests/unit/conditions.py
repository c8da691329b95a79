"""What a condition on columns says of one row, so that it can be held against the rule that it stands for."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Null
from sqlalchemy.sql import elements, operators


def holds(condition: Any, row: Mapping[str, Any]) -> bool:
    """Whether a condition of comparisons, `AND` and `OR` holds of a row."""
    if isinstance(condition, elements.Grouping):
        return holds(condition.element, row)
    if isinstance(condition, elements.BooleanClauseList):
        every = (holds(one, row) for one in condition.clauses)
        return any(every) if condition.operator is operators.or_ else all(every)
    if isinstance(condition, elements.True_ | elements.False_):
        return isinstance(condition, elements.True_)
    left, right = _value(condition.left, row), _value(condition.right, row)
    if condition.operator is operators.is_:
        return left is right
    if isinstance(condition.operator, operators.custom_op):
        assert condition.operator.opstring == "&&"
        return not set(left).isdisjoint(right)
    return left is not None and bool(condition.operator(left, right))


def _value(side: Any, row: Mapping[str, Any]) -> Any:
    if isinstance(side, Column):
        return row[side.name]
    if isinstance(side, elements.Cast):
        return _value(side.clause, row)
    if isinstance(side, elements.ClauseList | elements.ExpressionClauseList):
        return [_value(one, row) for one in side.clauses]
    return None if isinstance(side, Null) else side.value
