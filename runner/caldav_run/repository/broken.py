"""The error of format code that does not know which object it reads."""


class FormatError(ValueError):
    """Bytes break the format; the caller knows the object's name and says it."""
