using CsCheck;
using FailoverHub.Web.Fleet;
using static FailoverHub.Web.Tests.Fleet.Fleets;

namespace FailoverHub.Web.Tests.Fleet;

/// <summary>
/// Two nodes dial, report, answer, fall silent and lose what they had at random, intents are released at random, the hub forgets what it does
/// not store: whatever the order, what the hub sends because a node dialled neither takes the last announcer away nor makes a second primary.
/// </summary>
[Trait("Kind", "Long")]
public sealed class ReconnectPropertyTests
{
    private static readonly string[] Names = ["web-1", "web-2"];

    private static readonly Gen<Happening> Happenings = Gen.Frequency(
        (4, Gen.Select(Gen.Int[0, 1], Gen.Int[0, 6], (node, behind) => (Happening)new Happening.Dials(node, behind))),
        (1, Gen.Int[0, 1].Select(node => (Happening)new Happening.Breaks(node))),
        (5, Gen.Select(Gen.Int[0, 1], Gen.Bool, Gen.Bool, (node, obeys, announces) => (Happening)new Happening.Reports(node, obeys, announces))),
        (1, Gen.Select(Gen.Int[0, 1], Gen.Bool, (node, rejects) => (Happening)new Happening.Answers(node, rejects))),
        (4, Gen.Select(Gen.Int[0, 1], Gen.Bool, Gen.Bool, Gen.Bool, (node, primary, drained, ofOperation) => (Happening)new Happening.IsTold(node, primary, drained, ofOperation))),
        (2, Gen.Bool.Select(begins => (Happening)new Happening.Operation(begins))),
        (1, Gen.Int[1, 5].Select(seconds => (Happening)new Happening.TimePasses(seconds))),
        (1, Gen.Const((Happening)new Happening.HubRestarts())));

    [Fact]
    public void WhateverHappened_ADialIsAnsweredWithNothingThatNobodyAskedForAndCouldDoHarm() => Happenings.Array[5, 60].Sample(Check, iter: 20_000);

    private static void Check(Happening[] story)
    {
        var facts = Facts(Pair(Names[0], Names[1]), Node(Names[0], Report(View(Role.Primary, Role.Primary))), Node(Names[1], Report(View(Role.Secondary, Role.Secondary))));
        var (now, revision, stream, sequence) = (Now, 0L, 100L, 100UL);
        foreach (var happening in story)
        {
            var effects = new List<FleetEffect>();
            FleetMessage? message = null;
            switch (happening)
            {
                case Happening.Dials dials:
                    var known = facts.Nodes[Names[dials.Node]].Intent?.Revision ?? 0;
                    var hello = new AgentHello { Node = Names[dials.Node], AgentVersion = "1", BootId = "boot", IntentRevision = Math.Max(0, known - dials.Behind), DataCenter = "", Capabilities = [] };
                    message = new FleetMessage.StreamOpened(++stream, hello, null);
                    break;
                case Happening.Breaks breaks when facts.Nodes[Names[breaks.Node]].Stream is { } open:
                    message = new FleetMessage.StreamEnded(open.Id, Names[breaks.Node]);
                    break;
                case Happening.Reports reports when facts.Nodes[Names[reports.Node]] is { Stream: { } open } node:
                    var wanted = reports.Obeys ? node.Intent : node.Confirmed;
                    var role = wanted?.RoleOf(Prefix) ?? Role.Secondary;
                    var drained = wanted?.Drained ?? false;
                    var view = View(role, reports.Announces && !drained ? role : null, drained ? WithdrawnReason.Drained : reports.Announces ? null : WithdrawnReason.Unhealthy);
                    message = new FleetMessage.Reported(open.Id, node.Name, Report(view) with { Sequence = ++sequence, IntentRevision = wanted?.Revision ?? 0, Drained = drained });
                    break;
                case Happening.Answers answers when facts.Nodes[Names[answers.Node]] is { Stream: { } open, Intent: { } intent } node:
                    message = new FleetMessage.IntentAnswered(open.Id, node.Name, new IntentAnswer(intent.Revision, answers.Rejects ? IntentOutcome.Rejected : IntentOutcome.Applied, 4, ""));
                    break;
                case Happening.IsTold told:
                    var next = new IntentFacts { Revision = ++revision, Drained = told.Drained, Roles = IntentFacts.RolesFrom([(Prefix, told.Primary ? Role.Primary : Role.Secondary)]), OperationId = told.OfOperation ? "op1" : "op0" };
                    message = new FleetMessage.IntentReleased(Names[told.Node], next);
                    break;
                case Happening.Operation operation:
                    message = new FleetMessage.OperationChanged("p1", operation.Begins ? new RunningOperation("op1", "at random", true) : null, "op1", null, null);
                    break;
                case Happening.TimePasses passes:
                    now = now.After(passes.Seconds);
                    break;
                case Happening.HubRestarts:
                    facts = facts with
                    {
                        Nodes = facts.Nodes.SetItems(facts.Nodes.Select(n => KeyValuePair.Create(n.Key, new NodeFacts { Name = n.Key, LastReportAt = n.Value.LastReportAt, Intent = n.Value.Intent, Confirmed = n.Value.Confirmed }))),
                        Pairs = facts.Pairs.SetItems(facts.Pairs.Select(p => KeyValuePair.Create(p.Key, p.Value with { Running = null }))),
                    };
                    break;
                default:
                    break;
            }

            if (message is null)
            {
                continue;
            }

            facts = FleetReducer.Apply(facts, message, now, () => "new", effects);
            if (message is not FleetMessage.IntentReleased)
            {
                effects.OfType<FleetEffect.Offer>().ToList().ForEach(offer => CheckUnasked(facts, offer, message, now));
            }
        }
    }

    private static void CheckUnasked(FleetFacts facts, FleetEffect.Offer offer, FleetMessage message, Moment now)
    {
        var node = facts.Nodes.Values.Single(n => n.Stream?.Id == offer.StreamId);
        Assert.Equal(offer.Intent.Revision, node.Confirmed?.Revision);
        var other = FleetProjection.Project(facts, now, 1).Nodes.Single(n => n.Name != node.Name);
        Assert.False(offer.Intent.Drained && !FleetProjection.SurelyAnnounces(other, Prefix), $"A drain was sent to {node.Name} after {message}, while {other.Name} does not surely announce.");
        Assert.False(
            !offer.Intent.Drained && offer.Intent.RoleOf(Prefix) == Role.Primary && other.Prefixes.Any(v => v.AssignedRole == Role.Primary || v.ReportedRole == Role.Primary),
            $"{node.Name} was told to be primary after {message}, while {other.Name} may be primary.");
    }

    /// <summary>What may happen, by number of the node. A closed family.</summary>
    private abstract record Happening
    {
        /// <summary>Opens a stream, and has a revision so much older than what is wanted of it.</summary>
        public sealed record Dials(int Node, int Behind) : Happening;

        public sealed record Breaks(int Node) : Happening;

        /// <summary>Says what it does: what is wanted, or what it last confirmed.</summary>
        public sealed record Reports(int Node, bool Obeys, bool Announces) : Happening;

        public sealed record Answers(int Node, bool Rejects) : Happening;

        /// <summary>An intent is released, of the running operation or of an earlier one.</summary>
        public sealed record IsTold(int Node, bool Primary, bool Drained, bool OfOperation) : Happening;

        public sealed record Operation(bool Begins) : Happening;

        public sealed record TimePasses(int Seconds) : Happening;

        public sealed record HubRestarts : Happening;
    }
}
