using FailoverHub.Protos.V1;
using FailoverHub.Web.Agents;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using Failback = FailoverHub.Web.Fleet.Failback;
using FailbackHold = FailoverHub.Web.Fleet.FailbackHold;
using FailbackPolicy = FailoverHub.Web.Fleet.FailbackPolicy;
using Health = FailoverHub.Web.Fleet.Health;
using ProtoFailback = FailoverHub.Protos.V1.FailbackPolicy;
using ProtoHealth = FailoverHub.Protos.V1.Health;
using IntentLimits = FailoverHub.Web.Fleet.IntentLimits;
using ProtoLimits = FailoverHub.Protos.V1.IntentLimits;
using ProtoHold = FailoverHub.Protos.V1.FailbackHold;
using ProtoRole = FailoverHub.Protos.V1.Role;
using Role = FailoverHub.Web.Fleet.Role;

namespace FailoverHub.Web.Tests.Agents;

/// <summary>Checks, failback and local commands, between the agents' messages and our own types.</summary>
public sealed class ReportMappingTests
{
    private const string Prefix = "203.0.113.10/32";
    private static readonly DateTimeOffset Now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Prefix_CarriesHealthFailbackHoldAndDamping()
    {
        var report = new NodeReport
        {
            LocallyDrained = true,
            ConfigurationProblem = "checks[0].name: it has to be named",
            AddressProblem = "it stays on lo",
            IdentityPort = 5444,
            Host = "aa11-22",
            Prefixes =
            {
                new PrefixReport
                {
                    Prefix = Prefix, Health = ProtoHealth.Unhealthy, Damped = true,
                    FailbackPolicy = ProtoFailback.AfterStable, StableSeconds = 90, FailbackHold = new ProtoHold { RemainingMs = 42_500, Reason = "It was started." },
                },
            },
        };

        var parsed = AgentMapping.Parse(report).Value!;
        var view = Assert.Single(parsed.Prefixes);
        Assert.Equal((true, "checks[0].name: it has to be named"), (parsed.LocallyDrained, parsed.ConfigurationProblem));
        Assert.Equal(("it stays on lo", 5444), (parsed.AddressProblem, parsed.IdentityPort));
        Assert.Null(AgentMapping.Parse(new NodeReport { IdentityPort = 70_000 }).Value!.IdentityPort);
        Assert.Equal("aa11-22", parsed.Host);
        Assert.All((string[])["", "a b", "<b>", new string('a', 64)], wrong => Assert.Null(AgentMapping.Parse(new NodeReport { Host = wrong }).Value!.Host));
        Assert.False(parsed.SaysTheSameAs(parsed with { Host = "bb22" }));
        Assert.Equal((Health.Unhealthy, true), (view.Health, view.Damped));
        Assert.Equal(new Failback(FailbackPolicy.AfterStable, TimeSpan.FromSeconds(90)), view.Failback);
        Assert.Equal(new FailbackHold(TimeSpan.FromSeconds(42.5), "It was started."), view.Hold);
    }

    [Fact]
    public void LimitsOfANode_AreTold_AndOfAnAgentThatDoesNotSayAreNotKnown()
    {
        Assert.Equal(new IntentLimits(Drain: false, Promote: true, Demote: false), AgentMapping.Parse(new NodeReport { Limits = new ProtoLimits { RefusesDrain = true, RefusesDemote = true } }).Value!.Limits);
        Assert.Equal(new IntentLimits(true, true, true), AgentMapping.Parse(new NodeReport { Limits = new ProtoLimits() }).Value!.Limits);
        Assert.Null(AgentMapping.Parse(new NodeReport()).Value!.Limits);
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void HoldThatCountsNothing_HasNoRemainingTime(long remaining)
    {
        var report = new NodeReport { Prefixes = { new PrefixReport { Prefix = Prefix, FailbackHold = new ProtoHold { RemainingMs = remaining } } } };

        Assert.Null(Assert.Single(AgentMapping.Parse(report).Value!.Prefixes).Hold!.Remaining);
    }

    [Theory]
    [InlineData(ProtoFailback.Unspecified)]
    [InlineData((ProtoFailback)99)]
    public void PolicyOfAnOlderOrMuchNewerAgent_IsNotKnown(ProtoFailback policy)
    {
        var report = new NodeReport { Prefixes = { new PrefixReport { Prefix = Prefix, FailbackPolicy = policy, StableSeconds = uint.MaxValue } } };

        Assert.Null(Assert.Single(AgentMapping.Parse(report).Value!.Prefixes).Failback);
    }

    [Fact]
    public void Check_IsToldByTheNodesOwnClockAlone()
    {
        var taken = Now.AddHours(-7).ToUnixTimeMilliseconds();
        var report = new NodeReport
        {
            TakenAtUnixMs = taken,
            Checks =
            {
                new CheckReport
                {
                    Name = "web", Kind = "http", Verdict = ProtoHealth.Unhealthy, VerdictSinceUnixMs = taken - 5_000, LastRunUnixMs = taken - 300, LastRunMs = 12,
                    LastOutput = "HTTP 503\r\n" + new string('x', 300), Consequence = "demote", Prefixes = { Prefix },
                },
                new CheckReport { Name = "new", Kind = "tcp", VerdictSinceUnixMs = taken + 60_000 },
            },
        };

        var checks = AgentMapping.Parse(report).Value!.Checks;
        Assert.Equal(("web", "http", Health.Unhealthy, "demote"), (checks[0].Name, checks[0].Kind, checks[0].Verdict, checks[0].Consequence));
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(12)), (checks[0].VerdictFor, checks[0].LastRunAgo, checks[0].LastRunTook));
        Assert.StartsWith("HTTP 503 x", checks[0].LastOutput, StringComparison.Ordinal);
        Assert.InRange(checks[0].LastOutput!.Length, 1, 200);
        Assert.Equal([System.Net.IPNetwork.Parse(Prefix)], checks[0].Prefixes);
        Assert.Equal((Health.Unknown, TimeSpan.Zero, null, null), (checks[1].Verdict, checks[1].VerdictFor, checks[1].LastRunAgo, checks[1].LastOutput));
    }

    [Fact]
    public void TooManyChecksOrACheckOfNoPrefix_IsRefused()
    {
        var many = new NodeReport();
        many.Checks.AddRange(Enumerable.Range(0, AgentMapping.MaxChecks + 1).Select(i => new CheckReport { Name = $"c{i}" }));

        Assert.Contains($"{AgentMapping.MaxChecks} checks", AgentMapping.Parse(many).Problem, StringComparison.Ordinal);
        Assert.Contains("'10.0.0.1/8'", AgentMapping.Parse(new NodeReport { Checks = { new CheckReport { Prefixes = { "10.0.0.1/8" } } } }).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Intent_NamesThePolicyAndWhatIsToBePrimaryAtOnce()
    {
        var network = System.Net.IPNetwork.Parse(Prefix);
        var intent = new IntentFacts
        {
            Revision = 7,
            Drained = false,
            Roles = IntentFacts.RolesFrom([(network, Role.Primary)]),
            Failback = IntentFacts.NoFailback.Add(Prefix, new Failback(FailbackPolicy.AfterStable, TimeSpan.FromSeconds(60))),
            AtOnce = [Prefix],
            LiftLocalDrain = true,
        };

        var message = AgentMapping.ToMessage(intent).Intent;
        Assert.True(message.LiftLocalDrain);
        Assert.Equal((ProtoRole.Primary, ProtoFailback.AfterStable, 60u, true), (message.Prefixes[0].Role, message.Prefixes[0].FailbackPolicy, message.Prefixes[0].StableSeconds, message.Prefixes[0].AtOnce));

        var later = AgentMapping.ToMessage(intent.WithoutTheMoment()).Intent;
        Assert.Equal((false, false, ProtoFailback.AfterStable), (later.LiftLocalDrain, later.Prefixes[0].AtOnce, later.Prefixes[0].FailbackPolicy));
        Assert.Equal(ProtoFailback.Unspecified, AgentMapping.ToMessage(intent with { Failback = IntentFacts.NoFailback }).Intent.Prefixes[0].FailbackPolicy);
    }

    [Theory]
    [InlineData("health-changed", EventSeverity.Warning)]
    [InlineData("failback-held", EventSeverity.Warning)]
    [InlineData("failback-released", EventSeverity.Info)]
    [InlineData("configuration-loaded", EventSeverity.Info)]
    [InlineData("configuration-rejected", EventSeverity.Warning)]
    public void JournalKind_HasASeverityAndIsNoAuditEntry(string kind, EventSeverity severity)
    {
        var item = Parse(new JournalEntry { Sequence = 1, Kind = kind, Text = "x", Actor = "root (uid 0)" });

        Assert.Equal((kind, severity, null), (item.Event.Kind, item.Event.Severity, item.Audit));
    }

    [Fact]
    public void LocalCommand_IsAnEventAndAnAuditEntryWithTheNodesTime()
    {
        var at = Now.AddHours(-3);
        var item = Parse(new JournalEntry { Sequence = 1, Kind = "local-command", AtUnixMs = at.ToUnixTimeMilliseconds(), Actor = "root (uid 0)", Text = "root (uid 0) ordered to drain this node (\"refused by nobody (we hope)\"); drained: 1 prefix withdrawn" });

        Assert.Equal(("local-command", at), (item.Event.Kind, item.Event.At));
        Assert.Equal(("root (uid 0) on web-1, locally", "node web-1 of pair web", at), (item.Audit!.Actor.Name, item.Audit.Target, item.Audit.HappenedAt));
        Assert.Equal("refused by nobody (we hope)", item.Audit.Reason);
        Assert.StartsWith("accepted", item.Audit.Outcome, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check web (http http://127.0.0.1/) is healthy: 200 OK; 1 prefix is announced", EventSeverity.Info)]
    [InlineData("check web (http http://127.0.0.1/) is unhealthy: HTTP 503; 1 prefix is withdrawn", EventSeverity.Warning)]
    public void HealthThatIsBack_IsNoWarning(string text, EventSeverity severity) =>
        Assert.Equal(severity, Parse(new JournalEntry { Sequence = 1, Kind = "health-changed", Text = text }).Event.Severity);

    [Theory]
    [InlineData("root (uid 0) ordered to drain this node (\"disk\"); drained: 1 prefix withdrawn", "disk")]
    [InlineData("root (uid 0) ordered to drain this node (\"a (\"b\"); c\"); drained", "a (\"b\"); c")]
    [InlineData("root (uid 0) was refused to undrain this node (\"disk\"), nothing changed: intent 1 (\"night\") of the hub does", "disk")]
    [InlineData("root (uid 0) ordered to drain this node; drained: 1 prefix withdrawn", null)]
    [InlineData("a sentence of next year", null)]
    public void LocalCommand_IsAuditedWithTheReasonThatTheNodeTells(string text, string? reason) =>
        Assert.Equal(reason, Parse(new JournalEntry { Sequence = 1, Kind = "local-command", Actor = "root (uid 0)", Text = text }).Audit!.Reason);

    [Fact]
    public void LocalCommandThatTheNodeRefused_IsARefusalInTheAudit()
    {
        var item = Parse(new JournalEntry { Sequence = 1, Kind = "local-command", Actor = "deploy (uid 1001)", Text = "deploy (uid 1001) was refused to drain this node, nothing changed: the agent is stopping" });

        Assert.Equal("refused: deploy (uid 1001) was refused to drain this node, nothing changed: the agent is stopping", item.Audit!.Outcome);
        Assert.Null(item.Audit.Reason);
        Assert.Equal("somebody on web-1, locally", Parse(new JournalEntry { Sequence = 1, Kind = "local-command", Text = "x" }).Audit!.Actor.Name);
    }

    [Theory]
    [InlineData("operation-finished")]
    [InlineData("audit-checkpoint")]
    [InlineData("something-of-next-year")]
    public void JournalKind_OfTheHubOrNotKnown_IsKeptAsWhatTheNodeSaid(string kind)
    {
        var item = Parse(new JournalEntry { Sequence = 1, Kind = kind, Text = "All is well." });

        Assert.Equal((EventKinds.NodeSaid, $"{kind}: All is well."), (item.Event.Kind, item.Event.Text));
    }

    private static JournalItem Parse(JournalEntry entry) =>
        Assert.Single(AgentMapping.Parse(new JournalBatch { BootId = "b", Entries = { entry } }, "web-1", "web", Now).Value!);
}
