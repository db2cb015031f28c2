using FailoverHub.Agent.Control;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Tests.Control;

/// <summary>What an operator reads when something is wrong.</summary>
public sealed class StatusTextTests
{
    private static readonly DateTimeOffset _now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void EverythingThatCanBeAmiss_IsSaidInWords()
    {
        var text = StatusText.Of(new StatusDocument
        {
            Node = "node-a",
            Version = "0.1.0",
            ProcessId = 47,
            StartedAt = _now - TimeSpan.FromHours(26.5),
            ReadAt = _now,
            State = "graceful-shutdown",
            Problem = "something is missing",
            RouterId = "192.0.2.1",
            LocalAs = 65001,
            PeerAs = 65000,
            Hub = "https://hub:5443/",
            Authentication = "TCP MD5",
            TtlSecurity = 2,
            DampingOn = true,
            Drained = true,
            DrainedByIntent = true,
            Intent = new IntentDocument(7, "op", "maintenance"),
            GracefulShutdown = new GracefulShutdownDocument("stop", "SIGTERM", _now, _now + TimeSpan.FromSeconds(12), 12),
            Prefixes =
            [
                new PrefixDocument { FailbackPolicy = "immediate", FailbackStableSeconds = 60, Prefix = "203.0.113.10/32", AssignedRole = "primary", AddressPresent = true, Announced = true, Role = "primary", GracefulShutdown = true, SessionsCarrying = 1, Damping = new DampingDocument(812, 1, false, false, null, null) },
                new PrefixDocument { FailbackPolicy = "immediate", FailbackStableSeconds = 60, Prefix = "192.0.2.7/32", AddressPresent = true, Announced = false, GracefulShutdown = false, WithdrawnReason = "unhealthy", SessionsCarrying = 0, Damping = new DampingDocument(3812, 4, true, true, _now + TimeSpan.FromSeconds(90), 90) },
            ],
            Sessions =
            [
                new SessionDocument
                {
                    Neighbor = "2001:db8::1",
                    State = "idle",
                    AgeSeconds = 2,
                    DownSeconds = 125,
                    Reason = "waits",
                    NextDialAt = _now + TimeSpan.FromSeconds(3),
                    TimesEstablished = 2,
                    Flaps = 2,
                    FailuresInARow = 5,
                    NotCarried = ["203.0.113.10/32 is not announced to it"],
                    Sent = new MessagesDocument(5, 1, 2, 1, 1, 0, 0),
                    Received = new MessagesDocument(0, 0, 0, 0, 0, 0, 0),
                    LastError = new ErrorDocument(_now - TimeSpan.FromSeconds(125), 125, "Cease/Administrative Shutdown: bye", "neighbor", 6, 2, "wait for it"),
                    LastNotificationReceived = new NotificationDocument(_now - TimeSpan.FromSeconds(125), 125, 6, 2, "Cease/Administrative Shutdown: bye"),
                    MalformedUpdates = 1,
                    LastUpdateProblem = "ORIGIN twice",
                    LastUpdateProblemAt = _now - TimeSpan.FromSeconds(125),
                    LastUpdateProblemAgeSeconds = 125,
                    OutputBlockedSince = _now,
                    KeepaliveLateness = new LatenessDocument(0.1, 0.5, 2.25),
                },
            ],
        });

        Assert.Equal(
            """
            node-a: failoverhub-agent 0.1.0, process 47, running for 1 d 2 h
              at                    2026-01-02T03:04:05Z
              AS                    65001, route servers 65000; router id 192.0.2.1
              hub                   https://hub:5443/
              runs by               intent 7 ("maintenance")
              security              TCP MD5; TTL security, at most 2 hops
              sessions              0 of 1 established
              GRACEFUL SHUTDOWN     in 12.0 s everything is withdrawn and the agent stops: SIGTERM
              PROBLEM               something is missing

            203.0.113.10/32  announced as primary with graceful shutdown on 1 of 1 session (assigned primary, address present, damping penalty 812)
            192.0.2.7/32     not announced: unhealthy (assigned no role, address present, held back for 1 min 30 s more, until 2026-01-02T03:05:35Z if it is steady: penalty 3812 of 4 flaps)

            neighbor 2001:db8::1: idle for 2.0 s, down for 2 min 5 s: waits
              next dial             in 3.0 s
              not carried           203.0.113.10/32 is not announced to it
              messages sent         1 OPEN, 2 UPDATE, 1 NOTIFICATION, 1 KEEPALIVE
              messages received     none
              flaps                 2, came up 2 times, failed 5 times since it was last up
              last error            2 min 5 s ago, 2026-01-02T03:02:00Z, from the neighbor: Cease/Administrative Shutdown: bye (6/2)
                                    wait for it
              NOTIFICATION received 2 min 5 s ago, 2026-01-02T03:02:00Z: Cease/Administrative Shutdown: bye (6/2)
              malformed UPDATEs     1, the last 2 min 5 s ago, 2026-01-02T03:02:00Z: ORIGIN twice
              OUTPUT BLOCKED        the neighbor has taken nothing since 2026-01-02T03:04:05Z
              keepalives late by    0.1 ms (last), 0.5 ms (99 of 100), 2.25 ms (worst)

            """,
            text);
    }

    [Fact]
    public void NoPrefixes_SaysWhy() =>
        Assert.Contains("no prefix is known", StatusText.Of(Empty()), StringComparison.Ordinal);

    [Theory]
    [InlineData(false, "announced             2 prefixes\n")]
    [InlineData(true, "announced             2 prefixes before what still waits for it\n")]
    public void WhatWaitsForTheNeighbor_IsNotSaidToBeAnnounced(bool waits, string row)
    {
        var session = new SessionDocument { Neighbor = "192.0.2.1", State = "established", PrefixesAnnounced = 2, NotCarried = [], OutputBlockedSince = waits ? _now : null };

        Assert.Contains(row, StatusText.Of(Empty() with { Sessions = [session] }), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatItAsksForItsHub_IsSaidWithWhatCannotBeAsked()
    {
        var probing = ProbingDocument.Of(new VantageReading
        {
            Targets = 12,
            Revision = 7,
            Problems = [.. Enumerable.Range(1, 5).Select(task => new VantageProblem((uint)task, $"problem {task}"))],
            Answered = 90,
            Lost = 9,
            NotSent = 1,
            Dropped = 5,
            Begun = 100,
            Lateness = TimeSpan.FromMilliseconds(250),
            WorstLateness = TimeSpan.FromMilliseconds(20),
        });

        var text = StatusText.Of(Empty() with { Hub = "https://hub:5443/", Probing = probing });

        Assert.Contains(
            """
              asks for the hub      12 addresses: 99 probes sent, 9 lost, 1 NOT SENT, 5 results NOT TOLD in time; 2.5 ms late on average, 20 ms at most
              NOT ASKED             problem 1
              NOT ASKED             problem 2
              NOT ASKED             problem 3
              NOT ASKED             2 more, see status --json

            """,
            text,
            StringComparison.Ordinal);
        Assert.Equal((99, 9, 2.5, 20.0), (probing.Sent, probing.Lost, probing.MeanLatenessMilliseconds, probing.WorstLatenessMilliseconds));
    }

    [Fact]
    public void NothingWasEverAskedForTheHub_NothingIsSaidOfIt()
    {
        var probing = ProbingDocument.Of(new VantageReading { Targets = 0, Revision = 0, Problems = [], Answered = 0, Lost = 0, NotSent = 0, Dropped = 0, Begun = 0, Lateness = default, WorstLateness = default });

        Assert.DoesNotContain("asks for the hub", StatusText.Of(Empty() with { Probing = probing }), StringComparison.Ordinal);
    }

    [Fact]
    public void EmptyTrace_SaysSo() =>
        Assert.Equal("no message yet" + Environment.NewLine, TraceText.Of(new TraceDocument([])));

    private static StatusDocument Empty() => new()
    {
        Node = "n",
        Version = "0",
        ProcessId = 1,
        StartedAt = _now,
        ReadAt = _now,
        State = "running",
        RouterId = "192.0.2.1",
        LocalAs = 1,
        PeerAs = 2,
        DampingOn = false,
        Drained = false,
        Prefixes = [],
        Sessions = [],
    };
}
