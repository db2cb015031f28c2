using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Tests.Node;
using FailoverHub.Bgp.Messages;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Control;

public sealed class ControlDeskTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly NodeUnderTest _node = new NodeUnderTest(settings => settings).Start(NodeUnderTest.Shared).BothUp();

    [Fact]
    public async Task ThreadOfTheSessionsIsStuck_TheNodeIsShownAllTheSame_AndTheStatusSaysWhatItLacks()
    {
        _node.Lose(NodeUnderTest.First, "connection reset");
        var asked = Desk(new TaskCompletionSource<ImmutableArray<PeerDiagnostics>>().Task.WaitAsync).AnswerAsync(new ControlRequest("status"), default, TestContext.Current.CancellationToken);
        _time.Advance(ControlDesk.SessionsPatience);

        var status = (await asked).Status!;
        Assert.Contains("does not answer", status.Problem, StringComparison.Ordinal);
        Assert.Equal(["idle", "established"], status.Sessions.Select(session => session.State));
        Assert.Equal(("connection reset", "neighbor"), (status.Sessions[0].LastError!.Text, status.Sessions[0].LastError!.From));
        Assert.Null(status.Sessions[1].Sent);
        Assert.Contains("PROBLEM", StatusText.Of(status), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DampedPrefix_HasItsReasonAndHowLong()
    {
        for (var flap = 0; flap < 4; flap++)
        {
            _node.Give(new NodeEvent.AddressesChanged([])).Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]));
        }

        var prefix = Assert.Single((await AskAsync("status")).Status!.Prefixes);

        Assert.Equal((false, "unhealthy", true), (prefix.Announced, prefix.WithdrawnReason, prefix.AddressPresent));
        Assert.Equal(new DampingDocument(4000, 4, true, true, _node.State.Prefixes[0].Flaps!.Suppression!.Until.At, 120), prefix.Damping);
    }

    [Fact]
    public async Task WhatTheMetadataServiceSaid_IsShownWithItsAge()
    {
        _node.Give(new NodeEvent.InstanceLearned(new InstanceFacts { Region = "us-ord", HostId = "aa11", Shared = [NodeUnderTest.Shared], ReadAt = DateTimeOffset.UnixEpoch + _node.Now - TimeSpan.FromMinutes(5) }));

        var status = (await AskAsync("status")).Status!;

        Assert.Equal(("us-ord", "aa11", 300), (status.Machine!.Region, status.Machine.HostId, status.Machine.AgeSeconds));
        Assert.Contains("us-ord is data center 18, Chicago, IL (USA); IPv6 source none; shared with this machine: 203.0.113.10/32; host aa11, said 5 min 0 s ago", StatusText.Of(status), StringComparison.Ordinal);
    }

    [Fact]
    public async Task PenaltyThatIsGone_IsNotShown()
    {
        _node.Give(new NodeEvent.AddressesChanged([])).Give(new NodeEvent.AddressesChanged([NodeUnderTest.Shared]));
        Assert.Equal(1000, Assert.Single((await AskAsync("status")).Status!.Prefixes).Damping!.Penalty);

        _node.After(TimeSpan.FromHours(1));
        Assert.Null(Assert.Single((await AskAsync("status")).Status!.Prefixes).Damping);
    }

    [Theory]
    [InlineData("reset")]
    [InlineData(null)]
    public async Task UnknownCommand_IsAnError(string? command) =>
        Assert.Contains("'status', 'trace', 'drain', 'undrain', 'role', 'failback' and 'reload' only", (await AskAsync(command)).Error, StringComparison.Ordinal);

    [Theory]
    [InlineData("/etc/netplan/90-failoverhub.yaml", true)]
    [InlineData("etc/netplan", false)]
    [InlineData("/etc/two\nlines", false)]
    [InlineData(null, false)]
    public async Task WhatDoctorWrote_IsKeptWithWhoeverCalledIt(string? path, bool kept)
    {
        List<NodeEvent> posted = [];
        var desk = Desk(_ => Task.FromResult(ImmutableArray<PeerDiagnostics>.Empty), written =>
        {
            posted.Add(written);
            return true;
        });

        var answer = await desk.AnswerAsync(new ControlRequest(ControlDesk.WroteCommand) { Reason = path }, new ControlCaller(0, 0), TestContext.Current.CancellationToken);

        Assert.Equal(kept, answer.Error is null);
        if (kept)
        {
            var transition = Assert.Single(_node.Give(Assert.Single(posted)).Effects.OfType<NodeEffect.Record>());
            Assert.Equal((TransitionKind.LocalCommand, "root (uid 0)"), (transition.Kind, transition.Actor));
            Assert.Equal($"root (uid 0) had doctor write {path}, which makes shared addresses permanent on this machine", transition.Text);
        }
        else
        {
            Assert.Empty(posted);
        }
    }

    [Theory]
    [InlineData("192.0.2.1", true)]
    [InlineData("192.0.2.1:179", true)]
    [InlineData("192.0.2.9", false)]
    [InlineData("192.0.2.1:1790", false)]
    [InlineData("nonsense", false)]
    public async Task Trace_OfANeighbor_OrAnError(string neighbor, bool known)
    {
        var answer = await Desk(_ => Task.FromResult(ImmutableArray<PeerDiagnostics>.Empty)).AnswerAsync(new ControlRequest("trace", neighbor), default, TestContext.Current.CancellationToken);

        Assert.Equal(known, answer.Trace is not null);
        Assert.Equal(!known, answer.Error is not null);
    }

    private Task<ControlAnswer> AskAsync(string? command) =>
        Desk(_ => Task.FromResult(ImmutableArray<PeerDiagnostics>.Empty)).AnswerAsync(new ControlRequest(command), default, TestContext.Current.CancellationToken);

    private ControlDesk Desk(Func<CancellationToken, Task<ImmutableArray<PeerDiagnostics>>> sessions, Func<NodeEvent.FileWritten, bool>? keep = null)
    {
        var options = new AgentOptions { Node = "node-a", Neighbors = [NodeUnderTest.First, NodeUnderTest.Second], StateDirectory = "/nowhere", ControlSocket = "/nowhere/control.sock" };
        return new ControlDesk(
            new ControlIdentity(() => options, new RouterId(1), 1, DateTimeOffset.UnixEpoch),
            () => (_node.State, new Moment(_node.Now, DateTimeOffset.UnixEpoch + _node.Now)),
            sessions,
            new OrderDesk(_ => false, () => _node.Now),
            _time)
        {
            Keep = keep ?? (_ => false),
        };
    }
}
