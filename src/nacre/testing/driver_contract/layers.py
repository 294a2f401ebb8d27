"""The contract suite of storage drivers, of layers: how they come in."""

from __future__ import annotations

from nacre.storage.chain import Chain
from nacre.testing.contracts import raises
from nacre.testing.driver_contract.stage import ABSENT, Stage
from nacre.testing.hard_stacks import BASE, STACKS
from nacre.testing.members import file


class _Interruption(Exception):
    pass


class LayersContract:
    """See `StorageDriverContract`."""

    def test_a_layer_that_passed_a_sink_is_here(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add(*BASE)
        stage.take_in(driver, layer)
        assert driver.has(layer)
        assert stage.new().has(layer)
        assert driver.size(layer) >= 0

    def test_what_is_made_of_a_chain_is_told(self, stage: Stage) -> None:
        driver, chain = stage.new(), stage.layers.chain(BASE, [file("tmp/f", b"f")])
        assert driver.tree_size(chain) == 0
        driver.make_ready(chain)
        assert driver.tree_size(chain) > 0
        driver.prune([])
        assert driver.tree_size(chain) == 0

    def test_an_empty_layer_is_a_layer(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add()
        stage.take_in(driver, layer)
        assert driver.has(layer)

    def test_a_layer_from_nowhere_is_not_here(self, stage: Stage) -> None:
        driver = stage.new()
        assert not driver.has(ABSENT)
        assert driver.size(ABSENT) == 0

    def test_of_a_sink_left_without_commit_nothing_remains(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add(*BASE)
        before = stage.weight()
        with driver.sink() as sink:
            sink.write(stage.layers.bytes_of(layer)[:20_000])
        with raises(_Interruption), driver.sink() as sink:
            sink.write(stage.layers.bytes_of(layer))
            raise _Interruption
        assert stage.weight() == before
        assert driver.size(layer) == 0

    def test_the_same_layer_may_come_in_twice_at_once(self, stage: Stage) -> None:
        driver, layer = stage.new(), stage.layers.add(*BASE)
        tar, toc = stage.layers.bytes_of(layer), stage.layers.toc(layer)
        with driver.sink() as one, stage.new().sink() as other:
            one.write(tar)
            other.write(tar)
            one.commit(toc)
            other.commit(toc)
        stage.take_in(driver, layer)
        chain = Chain.of([layer])
        assert stage.shown(driver, chain) == stage.expected(chain)

    def test_irregular_layers_pass_a_sink_too(self, stage: Stage) -> None:
        driver = stage.new()
        for name, stack in STACKS.items():
            chain = stage.layers.chain(*stack)
            for layer in chain.layers:
                stage.take_in(driver, layer)
                assert driver.has(layer), name
            if len(stack) < 10:
                assert stage.shown(driver, chain) == stage.expected(chain), name
