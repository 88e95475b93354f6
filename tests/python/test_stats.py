"""Scaler and PCA beside scikit-learn's."""
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA as SklearnPCA
from sklearn.pipeline import make_pipeline

import pomona


def up_to_sign(a, b):
    return np.abs(a * np.sign((a * b).sum(-1, keepdims=True)) - b).max()


def test_scaler(table):
    scaler = pomona.Scaler().fit(table)
    assert np.allclose(scaler.mean_, table.mean(0, dtype=float), rtol=1e-12)
    assert np.allclose(scaler.scale_, table.std(0, ddof=1, dtype=float), rtol=1e-9)
    scaled = scaler.transform(table)
    assert np.abs(scaled - (table - table.mean(0)) / table.std(0, ddof=1)).max() < 1e-4
    assert np.abs(scaler.inverse_transform(scaled) - table).max() < 1e-4
    assert scaler.n_features_in_ == 40 and scaler.n_samples_seen_ == 300


def test_a_feature_that_never_changes(table):
    constant = table.copy()
    constant[:, 3] = 2
    assert (pomona.Scaler().fit_transform(constant)[:, 3] == 0).all()


@pytest.mark.parametrize("n_components", [5, 0.9, 0.99])
@pytest.mark.parametrize("scale", [True, False])
def test_pca(table, n_components, scale):
    ours = pomona.PCA(n_components, scale=scale)
    projected = ours.fit_transform(table)
    rows = pomona.Scaler().fit_transform(table) if scale else table
    theirs = SklearnPCA(n_components, svd_solver="full").fit(rows.astype(float))
    assert ours.n_components_ == theirs.n_components_ and projected.shape == (300, ours.n_components_)
    assert np.allclose(ours.explained_variance_, theirs.explained_variance_, rtol=1e-5)
    assert np.allclose(ours.explained_variance_ratio_, theirs.explained_variance_ratio_, rtol=1e-5)
    assert up_to_sign(ours.components_, theirs.components_) < 1e-3
    assert up_to_sign(projected.T, theirs.transform(rows).T) < 1e-2
    assert (ours.components_[range(len(ours.components_)), np.abs(ours.components_).argmax(1)] > 0).all()


def test_center(table):
    ours = pomona.PCA(3, scale=False, center=False).fit(table)
    assert np.abs(ours.transform(table) - table @ ours.components_.T).max() < 1e-3


def test_inverse(table):
    for scale, center in (True, True), (False, True), (False, False):
        pca = pomona.PCA(40, scale=scale, center=center).fit(table)
        assert np.abs(pca.inverse_transform(pca.transform(table)) - table).max() < 1e-3


def test_moments_merge(table):
    whole = pomona.PCA(5).fit(table)
    parts = [pomona.Moments(40).add(part) for part in np.array_split(table, 4)]
    for part in parts[1:]:
        parts[0].merge(pomona.Moments.from_bytes(part.to_bytes()))
    assert parts[0].count == 300 and parts[0].n_features == 40
    merged = pomona.PCA.from_moments(pickle.loads(pickle.dumps(parts[0])), 5)
    assert np.allclose(merged.components_, whole.components_, atol=1e-9)
    assert np.allclose(pomona.Scaler.from_moments(parts[0]).mean_, whole.mean_, rtol=1e-12)


def test_moments_refuse(table):
    moments = pomona.Moments(40)
    with pytest.raises(pomona.ArgumentError, match="40"):
        moments.add(table[:, :39])
    with pytest.raises(pomona.ArgumentError, match="dimensions"):
        moments.add(table[0])
    broken = table.copy()
    broken[7, 3] = np.nan
    with pytest.raises(pomona.ArgumentError, match="7.*3"):
        moments.add(broken)
    assert moments.count == 0
    with pytest.raises(pomona.ArgumentError, match="themselves"):
        moments.merge(moments)
    with pytest.raises(pomona.ArgumentError):
        moments.merge(pomona.Moments(39))
    for wrong in b"", b"moments", moments.add(table).to_bytes()[:-1]:
        with pytest.raises(pomona.FormatError):
            pomona.Moments.from_bytes(wrong)
    for d in 0, -1, 2**40, 2**70:
        with pytest.raises(pomona.Error):
            pomona.Moments(d)


def test_partial_fit(table):
    pca = pomona.PCA(4)
    for part in np.array_split(table, 5):
        pca.partial_fit(part)
    whole = pomona.PCA(4).fit(table)
    assert np.allclose(pca.components_, whole.components_, atol=1e-9) and pca.n_samples_seen_ == 300
    again = pickle.loads(pickle.dumps(pca))
    assert np.allclose(again.partial_fit(table).mean_, whole.mean_) and again.n_samples_seen_ == 600


def test_pickle(table):
    for estimator in pomona.PCA(0.8, scale=False), pomona.Scaler():
        assert repr(pickle.loads(pickle.dumps(estimator))) == repr(estimator)
        rows = estimator.fit_transform(table)
        assert (pickle.loads(pickle.dumps(estimator)).transform(table) == rows).all()


def test_scikit_learn_takes_them(table):
    pca = clone(pomona.PCA(7, scale=False).fit(table))
    assert pca.get_params() == {"n_components": 7, "scale": False, "center": True}
    pipeline = make_pipeline(pomona.Scaler(), pca.set_params(n_components=3))
    assert np.abs(pipeline.fit_transform(table) - pomona.PCA(3).fit_transform(table)).max() < 1e-2
    assert pipeline.transform(table[:2]).shape == (2, 3)
    with pytest.raises(pomona.ArgumentError, match="no parameter"):
        pca.set_params(whiten=True)


def test_misuse(table):
    with pytest.raises(pomona.NotFittedError, match="call fit first"):
        pomona.PCA().transform(table)
    with pytest.raises(pomona.ArgumentError, match="40 are wanted"):
        pomona.PCA(3).fit(table).transform(table[:, :3])
    for wrong in 0, -1, 1.5, 0.0, "mle":
        with pytest.raises((pomona.ArgumentError, TypeError)):
            pomona.PCA(wrong).fit(table)
    with pytest.raises(pomona.ArgumentError):
        pomona.PCA(3).fit(table[:1])


def test_more_components_than_the_rank(table):
    pca = pomona.PCA(30).fit(table[:10])
    assert pca.n_components_ == 9 and pca.transform(table).shape == (300, 9)


def test_equal_rows():
    pca = pomona.PCA(3).fit(np.ones((5, 4), np.float32))
    assert pca.n_components_ == 0 and pca.transform(np.ones((2, 4))).shape == (2, 0)


def test_threads(table):
    pomona.set_threads(1)
    with pytest.raises(ValueError):
        pomona.set_threads(0)
