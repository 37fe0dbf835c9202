"""Steps of a generator and a discriminator, as students write them with PyTorch: honest ones and slips."""

from __future__ import annotations

import textwrap

HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
G = nn.Sequential(nn.Linear(3, 8), NORMnn.ReLU(), nn.Linear(8, 2))
D = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), DROPnn.Linear(8, 1))
opt_g, opt_d = torch.optim.KIND(G.parameters(), lr=0.05), torch.optim.KIND(D.parameters(), lr=0.05)
bce = nn.BCEWithLogitsLoss()
"""
PARAMETERS = "G, D, real, z, opt_g, opt_d"


def step(body: str, parameters: str = PARAMETERS) -> str:
    return f"def step({parameters}):\n" + textwrap.indent(body.strip(), "    ") + "\n"


ONES = "ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)\n"
JUDGED = "loss_d = bce(D(real), ones) + bce(D(fake.detach()), zeros)\n"
D_STEP = "opt_d.zero_grad()\n" + JUDGED + "loss_d.backward()\nopt_d.step()\n"
G_STEP = "opt_g.zero_grad()\nloss_g = bce(D(fake), ones)\nloss_g.backward()\nopt_g.step()\n"
FAKE = "fake = G(z)\n"
PLAIN = ONES + FAKE + D_STEP + G_STEP
BY_HAND = """
d_loss = -F.logsigmoid(D(real)).mean() - F.logsigmoid(-D(fake.detach())).mean()
for p, g in zip(D.parameters(), torch.autograd.grad(d_loss, list(D.parameters()))):
    p.data -= 0.05 * g
"""
HONEST = {
    "plain": step(PLAIN),
    "no_grad for the fakes": step(ONES + "with torch.no_grad():\n    fake = G(z)\n" + D_STEP + FAKE + G_STEP),
    "two calls of backward": step(PLAIN.replace("loss_d.backward()\n", "").replace(JUDGED, "bce(D(real), ones).backward()\nbce(D(fake.detach()), zeros).backward()\n")),
    "the mean of both losses": step(PLAIN.replace(JUDGED, "loss_d = (bce(D(real), ones) + bce(D(fake.detach()), zeros)) / 2\n")),
    "both kinds of rows at once": step(PLAIN.replace(JUDGED, "loss_d = bce(D(torch.cat([real, fake.detach()])), torch.cat([ones, zeros]))\n")),
    "cleared at the end": step(PLAIN.replace("opt_d.zero_grad()\n", "").replace("opt_g.zero_grad()\n", "") + "opt_g.zero_grad()\nopt_d.zero_grad()\n"),
    "cleared to zeros, by the networks": step(PLAIN.replace("opt_d.zero_grad()", "D.zero_grad(set_to_none=False)").replace("opt_g.zero_grad()", "G.zero_grad(set_to_none=False)")),
    "not detached, and cleared in time": step(PLAIN.replace("fake.detach()", "fake").replace("loss_d.backward()", "loss_d.backward(retain_graph=True)").replace(G_STEP, FAKE + G_STEP)),
    "noise of its own": step(ONES + "z = torch.randn(len(real), 3)\n" + FAKE + D_STEP + "fake = G(torch.randn(len(real), 3))\n" + G_STEP, "G, D, real, opt_g, opt_d"),
    "a frozen discriminator": step(ONES + FAKE + D_STEP + "D.requires_grad_(False)\n" + G_STEP + "D.requires_grad_(True)\n"),
    "names of the notebook": step(PLAIN.replace("real", "x"), "x, z"),
    "by hand": step(ONES + FAKE + BY_HAND + G_STEP, "netG, netD, real, noise, optimizerG").replace("    ones", "    G, D, z, opt_g = netG, netD, noise, optimizerG\n    ones"),
    "a function of the loss": step(PLAIN.replace("bce(", "criterion("), PARAMETERS + ", criterion"),
}  # fmt: skip
GENERATOR_FIRST = {
    "with its rows again": step(ONES + FAKE + G_STEP + FAKE + D_STEP),
    "with the rows of before": step(ONES + FAKE + G_STEP + D_STEP),
}
SHARED = "both = torch.optim.KIND([*G.parameters(), *D.parameters()], lr=0.05)\n"
SLIPS = {
    "one optimizer, no detach": (SHARED + step(PLAIN.replace("opt_d", "both").replace("opt_g", "both").replace("fake.detach()", "fake").replace("loss_g =", "fake = G(z)\nloss_g ="), "G, D, real, z"), "one optimizer trains both networks"),
    "the discriminator's optimizer has both": ("opt_d = torch.optim.KIND([*G.parameters(), *D.parameters()], lr=0.05)\n" + step(PLAIN.replace("fake.detach()", "fake").replace(G_STEP, FAKE + G_STEP), "G, D, real, z, opt_g"), "the discriminator's optimizer trains both"),
    "the discriminator is never cleared": (step(PLAIN.replace("opt_d.zero_grad()\n", "")), "the discriminator's gradients are never cleared"),
    "the generator is never cleared": (step(PLAIN.replace("opt_g.zero_grad()\n", "")), "the generator's gradients are never cleared"),
    "cleared after its own step": (step(PLAIN.replace("opt_d.zero_grad()\n", "").replace("opt_d.step()\n", "opt_d.step()\nopt_d.zero_grad()\n")), "stay for its next step"),
    "labels swapped": (step(PLAIN.replace("D(real), ones", "D(real), zeros").replace("fake.detach()), zeros", "fake.detach()), ones")), "changed their labels"),
    "the generator wants to be found": (step(PLAIN.replace("bce(D(fake), ones)", "bce(D(fake), zeros)")), "it needs that of real ones"),
    "no detach, cleared at the beginning": (step("opt_g.zero_grad()\n" + PLAIN.replace("opt_g.zero_grad()\n", "").replace("fake.detach()", "fake").replace("loss_g =", "fake = G(z)\nloss_g =")), "the discriminator's loss moves the generator"),
    "no step of the generator": (step(PLAIN.replace("opt_g.step()\n", "")), "the generator takes no step"),
    "no step of the discriminator": (step(PLAIN.replace("opt_d.step()\n", "")), "the discriminator takes no step"),
    "no fakes for the discriminator": (step(PLAIN.replace(" + bce(D(fake.detach()), zeros)", "")), "sees no generated rows"),
    "nothing": (step("pass"), "no weight changes"),
}  # fmt: skip
FOR_A_PERSON = {
    "smooth labels": (step(PLAIN.replace("bce(D(real), ones)", "bce(D(real), 0.9 * ones)")), "labels of real rows are 0.9"),
    "the game's own loss": (step(PLAIN.replace("bce(D(fake), ones)", "-bce(D(fake), zeros)")), "turned around"),
    "two steps of the discriminator": (step(PLAIN.replace(D_STEP, D_STEP + D_STEP)), "another way"),
    "a hinge": (step(PLAIN.replace(JUDGED, "loss_d = F.relu(1 - D(real)).mean() + F.relu(1 + D(fake.detach())).mean()\n")), "another loss"),
    "dropout by a function": (step(PLAIN.replace("D(real)", "D(F.dropout(real, 0.5))")), ""),
    "a name that says nothing": (step(PLAIN, PARAMETERS + ", thing"), "what a parameter"),
}  # fmt: skip
