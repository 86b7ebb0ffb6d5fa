import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dhen_objective.config import DHENConfig, Interaction, TrainConfig
from dhen_objective.cost import parameter_count
from dhen_objective.model import DHEN
from dhen_objective.size import network_size
from dhen_objective.streams import Batch
from dhen_objective.trainer import Trainer

architectures = st.builds(
    dict,
    n_layers=st.integers(1, 3),
    modules=st.sets(st.sampled_from(list(Interaction)), min_size=1).map(tuple),
    dlrm_k=st.integers(0, 3),
    attn_ffn_mult=st.integers(1, 3),
    linear_embs=st.integers(1, 9),
    dcn_layers=st.integers(1, 3),
    conv_kernel=st.sampled_from([1, 3]),
    conv_channels=st.integers(1, 3),
    conv_2d=st.booleans(),
    dim=st.sampled_from([2, 4]),
    ensemble=st.sampled_from(["concat", "sum"]),
    head_hidden=st.sampled_from([(), (5,), (4, 3)]),
    ln_init=st.sampled_from([0.0, 0.5]),
    wide=st.booleans(),
)


def held(model: DHEN) -> list[torch.Tensor]:
    """The tensors that training holds whatever the batch."""
    trainer = Trainer(model, TrainConfig(), n_rows=2)
    trainer.step(
        Batch(
            dense=torch.zeros(2, len(model.features.norm.mean)),
            sparse=torch.zeros(2, len(model.features.offsets), dtype=torch.long),
            labels=torch.tensor([0.0, 1.0]),
        )
    )
    table = model.features.table.weight
    gradients = [p.grad for p in model.parameters() if p is not table and p.grad is not None]
    moments = [m for s in trainer.adam.state.values() for m in (s["exp_avg"], s["exp_avg_sq"])]
    sums = [trainer.embeddings.sums, *(trainer.wide.state_dict().values() if trainer.wide else ())]
    return [*model.parameters(), *model.buffers(), *gradients, *moments, *sums]


@settings(max_examples=40)
@given(architectures, st.lists(st.integers(1, 9), max_size=3).map(tuple), st.integers(0, 3))
def test_the_formula_equals_the_network_that_is_built(
    given_: dict, field_sizes: tuple[int, ...], n_dense: int
) -> None:
    field_sizes = field_sizes or (7,)
    config = DHENConfig(**given_)
    model = DHEN(config, field_sizes=field_sizes, n_dense=n_dense)
    size = network_size(config, field_sizes=field_sizes, n_dense=n_dense)
    assert size.parameters == parameter_count(model)
    assert size.memory == sum(t.numel() * t.element_size() for t in held(model))


def test_a_table_of_terabytes_is_counted_without_being_built() -> None:
    size = network_size(DHENConfig(dim=64), field_sizes=(1 << 36,), n_dense=0)
    assert size.parameters > 1 << 42
