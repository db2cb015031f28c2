namespace FailoverHub.Web.Api.Reachability;

/// <summary>Whether something answers that is probed: a shared address, a target that an operator has added, or a node.</summary>
public sealed record ReachabilityDto
{
    /// <summary>By which it is asked for: the shared prefix, target:NAME or node:NAME.</summary>
    public required string Id { get; init; }

    /// <summary>shared, named or node.</summary>
    public required string Kind { get; init; }

    /// <summary>As an operator knows it.</summary>
    public required string Label { get; init; }

    /// <summary>Name of the pair that shares it, null: none does.</summary>
    public required string? Pair { get; init; }

    /// <summary>The shared prefix, CIDR; null: it is not shared.</summary>
    public required string? Prefix { get; init; }

    /// <summary>The address or URL that is probed.</summary>
    public required string Address { get; init; }

    /// <summary>icmp, tcp or http.</summary>
    public required string Method { get; init; }

    /// <summary>Port with tcp and http, else null.</summary>
    public required int? Port { get; init; }

    /// <summary>From one probe to the next while nothing happens.</summary>
    public required double IntervalSeconds { get; init; }

    /// <summary>From where state, problem and recent probes below are: hub, or the id of the node that was asked for with `vantage`.</summary>
    public required string VantagePoint { get; init; }

    /// <summary>Unknown (no fresh probe), Reachable or Unreachable.</summary>
    public required string State { get; init; }

    /// <summary>When the newest probe was sent, null: none yet. The state is as old as that.</summary>
    public required DateTimeOffset? LastProbeAt { get; init; }

    /// <summary>Why it cannot be probed at all and what to do, null when it can.</summary>
    public required string? Problem { get; init; }

    /// <summary>Newest probes, oldest first: those of the last two minutes, at least ten, at most 600.</summary>
    public required IReadOnlyList<ProbeDto> Recent { get; init; }

    /// <summary>Everybody who asks it now: the hub first, then nodes by name. With `vantage` only that one.</summary>
    public required IReadOnlyList<VantagePointDto> VantagePoints { get; init; }

    /// <summary>Why no node asks it, one English sentence or two; null: one does, or it is nothing that nodes ask.</summary>
    public required string? WhyOnlyTheHub { get; init; }

    /// <summary>In what the vantage points differ now ("Answers node-c, not the hub."), null: in nothing that is known. What counts as lost is decided by the hub's own probes.</summary>
    public required string? Difference { get; init; }

    /// <summary>Nodes that asked it within the last hour and are lost as vantage points since: what it does from there is not known, and is no loss.</summary>
    public required IReadOnlyList<VantageStandingDto> LostVantagePoints { get; init; }

    /// <summary>What it did from `from` to `to`; null: neither was given.</summary>
    public required ReachabilityChartDto? Chart { get; init; }
}

/// <summary>What one vantage point sees of a target now.</summary>
public sealed record VantagePointDto
{
    /// <summary>hub, or the id of the node: what `vantage` takes.</summary>
    public required string Id { get; init; }

    /// <summary>hub, or what the node is called now; `vantage` takes that too.</summary>
    public required string Name { get; init; }

    /// <summary>Unknown (no fresh probe), Reachable or Unreachable.</summary>
    public required string State { get; init; }

    /// <summary>When its newest probe was sent, by the hub's clock; null: none yet. The state is as old as that.</summary>
    public required DateTimeOffset? LastProbeAt { get; init; }

    /// <summary>Milliseconds to the answer of its newest probe, null: none came, or there is no probe yet.</summary>
    public required double? RoundTripMs { get; init; }

    /// <summary>Why its newest probe was not answered, null: it was.</summary>
    public required string? Error { get; init; }

    /// <summary>Why it cannot ask at all and what to do, null when it can.</summary>
    public required string? Problem { get; init; }

    /// <summary>Its newest probes that are in memory: those of the last two minutes, at least ten, at most 600.</summary>
    public required int Sent { get; init; }

    /// <summary>Those of them without an answer.</summary>
    public required int Lost { get; init; }
}

/// <summary>How a node stands that asks targets for the hub, or did until it was lost.</summary>
public sealed record VantageStandingDto
{
    /// <summary>Id of the node.</summary>
    public required string Id { get; init; }

    /// <summary>What it is called now.</summary>
    public required string Name { get; init; }

    /// <summary>Ids of the targets that it asks; of one that is lost: that it asked when it was.</summary>
    public required IReadOnlyList<string> Targets { get; init; }

    /// <summary>When it last told of a probe, by the hub's clock; null: it has not yet.</summary>
    public required DateTimeOffset? LastToldAt { get; init; }

    /// <summary>link-down, not-offered (its probing is off), behind (what it tells is old, or does not come) or cannot-ask; null: it is as it should be.</summary>
    public required string? Trouble { get; init; }

    /// <summary>Since when that is so.</summary>
    public required DateTimeOffset? Since { get; init; }

    /// <summary>The same in sentences, with what is lost by it; null: nothing is wrong.</summary>
    public required string? Text { get; init; }

    /// <summary>How many of its targets nobody but the hub asks now, because it is lost.</summary>
    public required int OnlyTheHub { get; init; }
}

/// <summary>What a target did over a time, in at most 300 points of equal length.</summary>
public sealed record ReachabilityChartDto
{
    /// <summary>From where it was probed: hub, or the id of a node.</summary>
    public required string VantagePoint { get; init; }

    /// <summary>Beginning of the first point that there could be.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>End.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>Length of a point, chosen by the length of the time.</summary>
    public required int StepSeconds { get; init; }

    /// <summary>All of it as one point, null: nobody probed.</summary>
    public required ReachabilityPointDto? Whole { get; init; }

    /// <summary>Points with probes in them, oldest first. One that is missing is unknown, not lost: nobody probed then.</summary>
    public required IReadOnlyList<ReachabilityPointDto> Points { get; init; }
}

/// <summary>The probes of one stretch of time. Round trips are milliseconds, null where none was answered; minimum, mean and maximum are exact, percentiles within 2 %.</summary>
public sealed record ReachabilityPointDto
{
    /// <summary>When it begins.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Probes that were sent.</summary>
    public required int Sent { get; init; }

    /// <summary>Those without an answer.</summary>
    public required int Lost { get; init; }

    /// <summary>The part that was lost, 0 to 1.</summary>
    public required double Loss { get; init; }

    /// <summary>The shortest round trip.</summary>
    public required double? MinMs { get; init; }

    /// <summary>The mean.</summary>
    public required double? AvgMs { get; init; }

    /// <summary>The median.</summary>
    public required double? P50Ms { get; init; }

    /// <summary>The 95th percentile.</summary>
    public required double? P95Ms { get; init; }

    /// <summary>The 99th percentile.</summary>
    public required double? P99Ms { get; init; }

    /// <summary>The longest one.</summary>
    public required double? MaxMs { get; init; }

    /// <summary>The longest time from one answer to the next with an unanswered probe between; 0: every probe was answered.</summary>
    public required double LongestSilenceMs { get; init; }
}

/// <summary>A target that an operator has added.</summary>
public sealed record TargetDto
{
    /// <summary>By which its reachability is asked for: target:NAME.</summary>
    public required string Id { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>icmp, tcp or http.</summary>
    public required string Kind { get; init; }

    /// <summary>An IP address, or a URL with http.</summary>
    public required string Address { get; init; }

    /// <summary>With tcp, else null.</summary>
    public required int? Port { get; init; }

    /// <summary>From one probe to the next.</summary>
    public required int IntervalSeconds { get; init; }

    /// <summary>Statuses that are an answer; null: 200 to 399.</summary>
    public required string? Statuses { get; init; }

    /// <summary>What the body has to match; null: anything.</summary>
    public required string? BodyPattern { get; init; }

    /// <summary>Any certificate will do that has not ended.</summary>
    public required bool TrustAnyCertificate { get; init; }

    /// <summary>A certificate that ends within so many days is no answer; null: one that has ended.</summary>
    public required int? CertificateDays { get; init; }

    /// <summary>Another one after each change, in no order; the ETag.</summary>
    public required long Revision { get; init; }
}

/// <summary>Body of POST /api/v1/targets and PUT /api/v1/targets/{target}.</summary>
public sealed record TargetBody
{
    /// <summary>1 to 60 letters, digits, dots, hyphens or underscores. With PUT it may be left out: the name stays.</summary>
    public string? Name { get; init; }

    /// <summary>icmp, tcp or http.</summary>
    public required string Kind { get; init; }

    /// <summary>An IP address, or with http a URL.</summary>
    public required string Address { get; init; }

    /// <summary>1 to 65535, with tcp only.</summary>
    public int? Port { get; init; }

    /// <summary>From one probe to the next: 1 to 3600 s, with http 5 to 3600 s. Left out: 1 s, with http 5 s.</summary>
    public int? IntervalSeconds { get; init; }

    /// <summary>Statuses that are an answer, "200-299,401", with http only. Left out: 200 to 399.</summary>
    public string? Statuses { get; init; }

    /// <summary>A regular expression that the first 64 KiB of the body have to match, with http only.</summary>
    public string? BodyPattern { get; init; }

    /// <summary>Any certificate will do that has not ended, with https only.</summary>
    public bool TrustAnyCertificate { get; init; }

    /// <summary>A certificate that ends within so many days is no answer, 0 to 400, with https only.</summary>
    public int? CertificateDays { get; init; }
}

/// <summary>One probe.</summary>
/// <param name="At">When it was sent.</param>
/// <param name="Answered">An answer came in time.</param>
/// <param name="RoundTripMs">Milliseconds to the answer, null: none came.</param>
/// <param name="Error">Why not, null when answered.</param>
public sealed record ProbeDto(DateTimeOffset At, bool Answered, double? RoundTripMs, string? Error);
