from .pruner import LowFidelityPruner


__all__ = ["LowFidelityPruner"]
