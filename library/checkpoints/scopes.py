"""Name the scopes and collections that checkpoints and graphs share."""

from __future__ import annotations

# Scope of a TF-Hub module's variables; a frozen module has none in its checkpoints.
MODULE = 'module/'

# Scope of the weights' moving averages, and the collection where a graph that restores them in
# place of the weights says so: a dict of names in the checkpoint to variables. An export leaves
# out collections whose key is no text.
AVERAGES = 'ema/'
RESTORED = ('restored by name',)

# The collection where a graph on features says that it leaves out a module that belongs to it.
LEFT_OUT = 'module_left_out'

# What a dynamic loss scale keeps, and what Adam keeps beside its slots; TensorFlow's names.
LOSS_SCALE = ('current_loss_scale', 'good_steps')
POWERS = ('beta1_power', 'beta2_power')
