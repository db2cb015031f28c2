using FailoverHub.Agent.Control;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Tests.Node;

namespace FailoverHub.Agent.Tests.Control;

/// <summary>From what a client asks to a command of the node, and the node's answer back to that client.</summary>
public sealed class OrderDeskTests
{
    private static readonly ControlCaller _root = new(0, 0);

    private static readonly TimeSpan _now = TimeSpan.FromMinutes(7);

    private readonly List<LocalCommand> _given = [];

    [Fact]
    public async Task Commands_ReachTheNode_WithWhoAndWhy_AndEachGetsItsOwnAnswer()
    {
        var desk = Desk();
        var role = AskAsync(desk, new ControlRequest("role") { Prefix = "203.0.113.10", Role = "secondary", Reason = "a test" });
        var all = AskAsync(desk, new ControlRequest("role") { Role = "default" });
        var back = AskAsync(desk, new ControlRequest("failback") { Prefix = "203.0.113.10/32" });

        var first = Assert.IsType<LocalCommand.SetRole>(_given[0]);
        Assert.Equal((NodeUnderTest.Shared, Role.Secondary, "a test", "root (uid 0)"), (first.Prefix!.Value, first.Role!.Value, first.Reason, first.Actor));
        Assert.True(_given[1] is LocalCommand.SetRole { Prefix: null, Role: null });
        Assert.Equal(NodeUnderTest.Shared, Assert.IsType<LocalCommand.FailBack>(_given[2]).Prefix);

        desk.Take(new LocalAnswer(_given[2].Id, new IntentOutcome.Rejected("no")));
        desk.Take(new LocalAnswer(_given[0].Id, new IntentOutcome.Applied(3), "done", true, 4));
        desk.Take(new LocalAnswer(_given[1].Id, new IntentOutcome.AcceptedNotAnnounced("no session is established"), "done", true));
        Assert.Equal(new CommandDocument("applied", "done", true, 3, 4, null), (await role).Command);
        Assert.Equal(new CommandDocument("accepted-not-announced", "done", true, 0, 0, "no session is established"), (await all).Command);
        Assert.Equal(new CommandDocument("refused", "", false, 0, 0, "no"), (await back).Command);
    }

    [Theory]
    [InlineData("role", "203.0.113.0/24", "primary", "", "cannot be shared")]
    [InlineData("role", null, "boss", "", "none of primary, secondary and default")]
    [InlineData("role", null, null, "", "none of primary, secondary and default")]
    [InlineData("failback", "nonsense", null, "", "is no prefix")]
    [InlineData("drain", null, null, "two\nlines", "control characters")]
    public async Task WhatCannotBeMeant_IsRefused_BeforeTheNodeHearsOfIt(string command, string? prefix, string? role, string reason, string words)
    {
        var answer = await AskAsync(Desk(), new ControlRequest(command) { Prefix = prefix, Role = role, Reason = reason });

        Assert.Contains(words, answer.Error, StringComparison.Ordinal);
        Assert.Empty(_given);
    }

    [Fact]
    public async Task ReasonWithoutEnd_IsRefused() =>
        Assert.Contains("more than 500 characters", (await AskAsync(Desk(), new ControlRequest("drain") { Reason = new string('x', 501) })).Error, StringComparison.Ordinal);

    [Fact]
    public async Task NodeTakesNothing_TheClientIsTold() =>
        Assert.Contains("takes no commands now", (await AskAsync(new OrderDesk(_ => false, () => TimeSpan.Zero), new ControlRequest("drain"))).Error, StringComparison.Ordinal);

    [Fact]
    public async Task NodeNeverAnswers_TheClientIsNotHeldForEver_AndALateAnswerHarmsNobody()
    {
        var desk = Desk();
        using var patience = new CancellationTokenSource();
        var asked = desk.AnswerAsync(new ControlRequest("drain"), _root, patience.Token);
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        desk.Take(new LocalAnswer(_given[0].Id, new IntentOutcome.Applied(1)));
    }

    /// <summary>The client was told that no agent answers, and the node was drained a second later.</summary>
    [Fact]
    public async Task DiskKeepsTheNodeWaiting_TheClientIsTold_ThatItIsBegun_AndNotThatNobodyAnswers()
    {
        var desk = Desk();
        using var patience = new CancellationTokenSource();
        var asked = desk.AnswerAsync(new ControlRequest("drain"), _root, patience.Token);
        desk.Begin(_given[0].Id);
        await patience.CancelAsync();

        var said = (await asked).Command!;
        Assert.Equal(("begun", 4), (said.Outcome, CommandText.ExitCode(said)));
        Assert.StartsWith("the order is being kept on the node's disk; the disk is slow: as soon as it is kept it is obeyed", CommandText.Of(said), StringComparison.Ordinal);
        desk.Take(new LocalAnswer(_given[0].Id, new IntentOutcome.Applied(1)));
    }

    [Fact]
    public async Task Begun_AndAnsweredInTime_TheAnswerIsThatOfTheNode()
    {
        var desk = Desk();
        var asked = AskAsync(desk, new ControlRequest("drain"));
        desk.Begin(_given[0].Id);
        desk.Take(new LocalAnswer(_given[0].Id, new IntentOutcome.Applied(1), "drained", true, 1));

        Assert.Equal("applied", (await asked).Command!.Outcome);
        desk.Begin(_given[0].Id);
    }

    [Fact]
    public void Command_IsGoodForLessTimeThanItsClientWaits()
    {
        _ = AskAsync(Desk(), new ControlRequest("drain"));

        Assert.Equal(_now + OrderDesk.Patience, Assert.Single(_given).Until);
        Assert.True(OrderDesk.Patience + new NodeSettings { Node = "node-a", Neighbors = [] }.IntentAnswerWait <= ControlServer.AnswerPatience);
    }

    [Theory]
    [InlineData("applied", true, 4, "done; written on 4 of 4 established sessions", 0)]
    [InlineData("applied", false, 4, "done", 0)]
    [InlineData("accepted-not-announced", true, 0, "done; why", 4)]
    [InlineData("accepted-not-announced", false, 0, "done", 0)]
    [InlineData("refused", false, 0, "refused, nothing changed: why", 1)]
    public void Answer_IsOneLine_AndAnExitCode(string outcome, bool changed, int sessions, string line, int code)
    {
        var document = new CommandDocument(outcome, "done", changed, sessions, 4, "why");

        Assert.Equal((line, code), (CommandText.Of(document), CommandText.ExitCode(document)));
    }

    private static Task<ControlAnswer> AskAsync(OrderDesk desk, ControlRequest request) => desk.AnswerAsync(request, _root, TestContext.Current.CancellationToken);

    private OrderDesk Desk() => new(occurred =>
    {
        _given.Add(Assert.IsType<NodeEvent.CommandReceived>(occurred).Command);
        return true;
    }, () => _now);
}
