#!/usr/bin/env python3
"""Golden numbers of texts as tf-idf: what Keras's TextVectorization makes of them, as text-vectorization.json.

    KERAS_BACKEND=tensorflow python3 test/golden/text_vectorization.py && npm run format

Written for and run with Keras 3.15.1 on TensorFlow 2.21.0. Options are stored in tapeloop's words.
"""

import json
import os

import keras
import tensorflow as tf

TEXTS = ["The cat sat on the mat.", "The dog sat!", "a cat, a dog; a cat", "dogs and cats and mats", "", "the end"]
NEW = ["the unknown cat", "sat sat sat", "nothing like that", "", "A dog and the dogs"]
GIVEN = ["cat", "dog", "the"]
WEIGHTS = [0.25, 0.75, 0.6]
WORDS = {"max_tokens": "maxTokens", "ngrams": "ngrams", "split": "split", "vocabulary": "vocabulary", "idf_weights": "idfWeights"}


def case(name, **options):
    layer = keras.layers.TextVectorization(output_mode="tf_idf", **options)
    if "vocabulary" not in options:
        # Batches of a data set, as texts come that are more than one batch.
        layer.adapt(tf.data.Dataset.from_tensor_slices(TEXTS).batch(4))
    return {
        "name": name,
        "options": {WORDS[key]: value for key, value in options.items()},
        "vocabulary": [str(token) for token in layer.get_vocabulary()],
        "encoded": layer(tf.constant(TEXTS + NEW)).numpy().tolist(),
    }


def main():
    cases = [
        case("words"),
        case("the most frequent words", max_tokens=5),
        case("words and pairs of them", ngrams=2, max_tokens=12),
        case("characters", split="character", max_tokens=8),
        case("a vocabulary", vocabulary=GIVEN, idf_weights=WEIGHTS),
        case("a vocabulary with special tokens", vocabulary=["[UNK]"] + GIVEN, idf_weights=[0.9] + WEIGHTS),
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "text-vectorization.json")
    with open(path, "w") as out:
        versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
        json.dump({**versions, "texts": TEXTS, "others": NEW, "cases": cases}, out)


if __name__ == "__main__":
    main()
