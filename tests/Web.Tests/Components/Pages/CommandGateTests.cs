using FailoverHub.Web.Components.Pages.Operations;
using FailoverHub.Web.Components.Pages.Operations.Confirm;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Components.Pages;

public sealed class CommandGateTests
{
    private static readonly OperationRequest Switchover = new() { Type = OperationType.Switchover, Pair = "id-web", Target = "node-b" };

    [Fact]
    public void Gate_OnlyTheReasonIsMissing_IsOpen()
    {
        var gate = CommandGate.Of(Make.Preview(false, Make.Rule("SR-01", "AtLeastOneAnnouncer", true), Make.Rule("SR-14", "ReasonRequired", false)), null);

        Assert.Equal(new CommandGate(true, false, null), gate);
    }

    [Fact]
    public void Gate_AHardRuleBlocks_IsClosedAndSaysWhy()
    {
        var gate = CommandGate.Of(Make.Preview(false, Make.Rule("SR-01", "AtLeastOneAnnouncer", false, canOverride: true), Make.Rule("SR-03", "TargetReady", false, message: "node-b is silent.", remedy: "Bring it back.")), null);

        Assert.False(gate.Enabled);
        Assert.Equal("SR-03 TargetReady: node-b is silent. Bring it back.", gate.Text);
    }

    [Fact]
    public void Gate_OnlyRulesThatCanBeSetAside_IsOpenWithAWarning()
    {
        var gate = CommandGate.Of(Make.Preview(true, Make.Rule("SR-01", "AtLeastOneAnnouncer", false, canOverride: true, message: "Nobody is left.", remedy: "Bring node-b back first.")), null);

        Assert.True(gate.Enabled);
        Assert.True(gate.NeedsOverride);
        Assert.Equal("SR-01 AtLeastOneAnnouncer has to be set aside: Nobody is left. Bring node-b back first.", gate.Text);
    }

    [Fact]
    public void Gate_NoPreview_SaysTheProblem() =>
        Assert.Equal(new CommandGate(false, false, "No pair is called 'web'."), CommandGate.Of(null, new SubmitResult.NotFound("No pair is called 'web'.")));

    [Fact]
    public void Refusal_NamesTheRuleAndTheRemedy() => Assert.Equal(
        "SR-11 TwoPerson: You asked for it yourself. Ask somebody else.",
        CommandGate.Problem(new SubmitResult.Refused(Make.Preview(false, Make.Rule("SR-11", "TwoPerson", false, message: "You asked for it yourself.", remedy: "Ask somebody else.")))));

    [Fact]
    public void Commands_OfAPair_OfferTheOtherNodeAndWhatFitsEachNode()
    {
        PairView pair = Make.Pair("web", PairState.Degraded, "node-b is drained.", "node-a", Make.Node("node-a", Role.Primary), Make.Node("node-b", null));

        var commands = PairCommand.For(pair, new FakeOperations());

        Assert.Equal(
            [(null, "Switch over to node-b"), (null, "Drill a failover"), ("node-a", "Drain node-a"), ("node-a", "Set role"), ("node-b", "Undrain node-b"), ("node-b", "Set role")],
            commands.Select(command => (command.Node, command.Label)));
    }

    [Fact]
    public void Commands_ActiveNodeNotKnown_OfferEveryNodeAsTarget()
    {
        PairView pair = Make.HealthyPair() with { ActiveNode = null };

        Assert.Equal(2, PairCommand.For(pair, new FakeOperations()).Count(command => command.TestId == "action-switchover"));
    }

    [Fact]
    public void Button_CarriesVerbAndObject()
    {
        PairView pair = Make.HealthyPair();

        Assert.Equal("Move 203.0.113.10 to node-b", ConfirmWords.Button(Switchover, pair));
        Assert.Equal("Drain node-a", ConfirmWords.Button(new() { Type = OperationType.Drain, Node = "node-a" }, pair));
        Assert.Equal("Make node-a secondary for 203.0.113.10", ConfirmWords.Button(new() { Type = OperationType.SetRole, Node = "node-a", Role = Role.Secondary }, pair));
    }

    [Fact]
    public void Missing_IsAskedForInTheOrderOfThePage()
    {
        OperationPreview clear = Make.Preview(outage: true);

        Assert.Equal("Say why first: at least 3 characters.", ConfirmWords.Missing(clear, "  x ", false, "web"));
        Assert.Equal("Type web to confirm.", ConfirmWords.Missing(clear, "because", false, "web"));
        Assert.Null(ConfirmWords.Missing(clear, "because", true, "web"));
        Assert.Null(ConfirmWords.Missing(Make.Preview(outage: false), "because", false, "web"));
    }
}
