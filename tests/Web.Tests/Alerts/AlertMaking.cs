using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>Facts, rules and findings for tests; a test changes with `with` what it is about.</summary>
internal static class AlertMaking
{
    public static readonly AlertKey Key = new("rule", "node:node-a");

    public static AlertFacts Facts(params ImmutableArray<PairView> pairs) => new()
    {
        At = Make.At,
        HubUpFor = TimeSpan.FromHours(1),
        Fleet = Make.Fleet(pairs),
        Reachability = new Dictionary<IPNetwork, TargetReachability>(),
    };

    public static AlertRule Rule(AlertKind kind = AlertKind.NodeLink, params ImmutableArray<string> states) => new()
    {
        Id = "rule",
        Name = "Rule",
        Kind = kind,
        Severity = EventSeverity.Warning,
        Threshold = AlertKinds.Of(kind).Threshold?.Default,
        States = states.IsDefaultOrEmpty ? AlertKinds.Of(kind).States : states,
        RaiseAfter = TimeSpan.FromSeconds(10),
        ResolveAfter = TimeSpan.FromSeconds(20),
        RemindEvery = TimeSpan.FromMinutes(30),
        Revision = 1,
    };

    public static Finding Wrong(string text = "node-a is silent.", AlertKey? key = null) => new(key ?? Key, true) { Text = text, About = "node node-a", Node = "node-a", Pair = "web" };

    public static Finding NotKnown(AlertKey? key = null) => new(key ?? Key, false);

    public static AlertPolicy Policy(AlertRule? rule = null, params ImmutableArray<Quiet> quiet) =>
        AlertPolicy.Of([rule ?? Rule()], [new ChannelChoice("mail", EventSeverity.Info), new ChannelChoice("pager", EventSeverity.Critical)], quiet);

    public static AlertChannel Channel(string id = "hook", AlertChannelType type = AlertChannelType.Webhook, int mostPerMinute = 10) =>
        new() { Id = id, Name = id, Type = type, MostPerMinute = mostPerMinute, Origin = "http://127.0.0.1:9", Mark = "000000", HasSecret = true, Revision = 1 };
}
