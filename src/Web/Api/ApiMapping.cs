using FailoverHub.Web.Api.Fleet;
using FailoverHub.Web.Api.History;
using FailoverHub.Web.Api.Identity;
using FailoverHub.Web.Api.Operations;
using FailoverHub.Web.Api.Reachability;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Stories;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Outages;
using FailoverHub.Web.Reachability.Targets;

namespace FailoverHub.Web.Api;

/// <summary>The one place where what the hub knows becomes what scripts read.</summary>
internal static class ApiMapping
{
    public static PairDto ToDto(this PairView pair) => new()
    {
        Id = pair.Id,
        Name = pair.Name,
        State = ApiWords.State(pair.State),
        Failback = ToDto(pair.Failback),
        FailbackIsSet = pair.FailbackIsSet,
        PreferredNode = pair.PreferredNode,
        ActiveNode = pair.ActiveNode,
        ActiveNodeBasis = ApiWords.Kebab(pair.ActiveNodeBasis),
        ActiveObservedAt = pair.ActiveObservedAt,
        Answers = [.. pair.Answers.Select(a => new AnswerDto(a.Prefix.ToString(), a.Node, a.At, a.Ttl, a.Mark is { } mark ? ApiWords.Kebab(mark.Kind) : null, a.Mark?.Text, a.Mark?.Since))],
        Prefixes = [.. pair.Prefixes.Select(p => p.ToString())],
        Revision = pair.Revision,
        Freeze = pair.Freeze is { } freeze ? new FreezeDto(freeze.Until, freeze.By, freeze.Reason, freeze.OfAll) : null,
        Operation = pair.OperationId,
        Members = [.. pair.Members.Select(ToDto)],
        SharedHost = pair.SharedHost,
        Claimants = [.. pair.Claimants.Select(c => new ClaimantDto(c.Node, [.. c.Prefixes.Select(p => p.ToString())]))],
    };

    public static NodeDto ToDto(this NodeView node, string? pair, DateTimeOffset now) => new()
    {
        Name = node.Name,
        Link = ApiWords.State(node.Link),
        LastReportAt = node.LastReportAt,
        ConnectedSince = node.ConnectedSince,
        AgentVersion = node.AgentVersion,
        DataCenter = node.DataCenter,
        RemoteAddress = node.RemoteAddress,
        Host = node.Host,
        Pair = pair,
        Certificate = node.Identity?.ToDto(now),
        CloneSign = node.CloneSign,
        Refusal = node.Refusal,
        IntentRevision = node.IntentRevision,
        ReportedRevision = node.ReportedRevision,
        AssignedDrained = node.AssignedDrained,
        Drained = node.Drained,
        LocallyDrained = node.LocallyDrained,
        Health = ApiWords.State(node.Health),
        Prefixes = [.. node.Prefixes.Select(ToNodePrefix)],
        Sessions = [.. node.Sessions.Select(ToDto)],
        Checks = [.. node.Checks.Select(c => ToDto(c, node.LastReportAt))],
        ConfigurationProblem = node.ConfigurationProblem,
        AddressProblem = node.AddressProblem,
        IdentityPort = node.IdentityPort,
        Limits = node.Limits is { } limits ? new IntentLimitsDto(limits.Drain, limits.Promote, limits.Demote) : null,
        Capabilities = [.. node.Capabilities],
    };

    private static CheckDto ToDto(CheckView check, DateTimeOffset? reportedAt) => new()
    {
        Name = check.Name,
        Kind = check.Kind,
        Verdict = ApiWords.State(check.Verdict),
        VerdictSince = reportedAt - check.VerdictFor,
        LastRunAt = reportedAt - check.LastRunAgo,
        LastRunMs = (long)check.LastRunTook.TotalMilliseconds,
        LastOutput = check.LastOutput,
        Consequence = check.Consequence,
        Prefixes = [.. check.Prefixes.Select(p => p.ToString())],
    };

    private static FailbackDto ToDto(Failback failback) => new(ApiWords.Kebab(failback.Policy), (int)failback.StableFor.TotalSeconds);

    public static OperationDto ToDto(this OperationView operation) => new()
    {
        Id = operation.Id,
        Type = ApiWords.Kebab(operation.Type),
        Status = ApiWords.State(operation.Status),
        Finished = operation.IsFinished,
        Outcome = operation.Outcome,
        Title = operation.Title,
        PairId = operation.PairId,
        Pair = operation.PairName,
        Node = operation.Node,
        Reason = operation.Reason,
        Actor = operation.Actor,
        RequestedAt = operation.RequestedAt,
        FinishedAt = operation.FinishedAt,
        ScheduledFor = operation.ScheduledFor,
        WindowEndsAt = operation.WindowEndsAt,
        ApprovalEndsAt = operation.ApprovalEndsAt,
        ApprovedBy = operation.ApprovedBy,
        Rules = [.. operation.Rules.Select(ToDto)],
        Steps = [.. operation.Steps.Select(s => new StepDto(s.Title, ApiWords.State(s.Status), s.StartedAt, s.FinishedAt, s.Detail))],
    };

    public static PreviewDto ToDto(this OperationPreview preview) => new()
    {
        Allowed = preview.Allowed,
        Rules = [.. preview.Rules.Select(ToDto)],
        Steps = [.. preview.Steps],
        TrafficEffect = preview.TrafficEffect,
        OutagePossible = preview.OutagePossible,
        NeedsApproval = preview.NeedsApproval,
        ApiCall = preview.ApiCall,
    };

    public static RuleDto ToDto(this RuleResult rule) => new()
    {
        RuleId = rule.RuleId,
        Name = rule.Name,
        Passed = rule.Passed,
        Overridden = rule.Overridden,
        CanOverride = rule.CanOverride,
        Message = rule.Message,
        Remedy = rule.Remedy,
    };

    public static EventDto ToDto(this EventRecord happened) => new()
    {
        Id = happened.Id,
        At = happened.At,
        RecordedAt = happened.RecordedAt,
        Kind = happened.Kind,
        Severity = ApiWords.Kebab(happened.Severity),
        Pair = happened.Pair,
        Node = happened.Node,
        Prefix = happened.Prefix,
        Text = happened.Text,
        Operation = happened.OperationId,
    };

    public static AuditDto ToDto(this AuditEntry entry) => new()
    {
        Id = entry.Id,
        At = entry.At,
        HappenedAt = entry.HappenedAt,
        Actor = entry.Actor,
        RemoteAddress = entry.RemoteAddress,
        ForwardedFor = entry.ForwardedFor,
        Action = entry.Action,
        Target = entry.Target,
        Reason = entry.Reason,
        Before = entry.Before,
        After = entry.After,
        Outcome = entry.Outcome,
        CorrelationId = entry.CorrelationId,
        PreviousHash = entry.PreviousHash,
        Hash = entry.Hash,
    };

    public static OperationStoryDto ToDto(this OperationTrail trail) => new()
    {
        Operation = trail.Operation.ToDto(),
        Audit = [.. trail.Audit.Select(a => a.ToDto())],
        Intents = [.. trail.Intents.Select(i => new IntentDto { Node = i.Node, Revision = i.Revision, Roles = i.Roles, Drained = i.Drained, Stage = i.Stage, WrittenAt = i.WrittenAt, Reason = i.Reason })],
        Events = [.. trail.Events.Select(e => e.ToDto())],
        Measured = [.. trail.Measured.Select(ToDto)],
        MeasuredSoFar = [.. trail.SoFar.Select(ToDto)],
        Outages = [.. trail.Outages.Select(o => new MeasuredOutageDto
        {
            Prefix = o.Prefix.ToString(),
            Probes = o.Probes,
            Unanswered = o.Unanswered,
            LongestMs = o.Longest?.TotalMilliseconds,
            BeganAt = o.Began,
            EndedAt = o.Ended,
        })],
    };

    public static AuditVerificationDto ToDto(this AuditVerification result) => new()
    {
        Intact = result.Intact,
        Entries = result.Entries,
        FirstBrokenId = result.FirstBrokenId,
        HeadHash = result.HeadHash,
        Problems = [.. result.Problems.Select(p => new AuditProblemDto(p.EntryId, p.Text))],
        ProblemCount = result.ProblemCount,
        Checkpoints = result.Checkpoints,
        LastCheckpoint = result.LastCheckpoint?.ToDto(),
    };

    public static AuditCheckpointDto ToDto(this AuditCheckpoint checkpoint) => new()
    {
        Id = checkpoint.Id,
        At = checkpoint.At,
        EntryId = checkpoint.EntryId,
        EntryHash = checkpoint.EntryHash,
        KeyId = checkpoint.KeyId,
        PublicKey = checkpoint.PublicKey,
        Signature = checkpoint.Signature,
    };

    /// <param name="target">As the hub sees it.</param>
    /// <param name="chart">Of a time that was asked for.</param>
    /// <param name="seen">The one vantage point that was asked for; null: all of them, and the hub's view.</param>
    public static ReachabilityDto ToDto(this ProbedTarget target, ReachabilityChartDto? chart = null, VantagePoint? seen = null) => new()
    {
        Id = target.Id,
        Kind = ApiWords.Kebab(target.Kind),
        Label = target.Label,
        Pair = target.Pair,
        Prefix = target.Prefix?.ToString(),
        Address = target.Address,
        Method = ApiWords.Kebab(target.Method),
        Port = target.Port,
        IntervalSeconds = target.Interval.TotalSeconds,
        VantagePoint = seen?.Id ?? VantagePoint.HubId,
        State = ApiWords.State(seen?.State ?? target.State),
        LastProbeAt = seen is null ? target.LastProbeAt : seen.LastProbeAt,
        Problem = seen is null ? target.Problem : seen.Problem,
        Recent = [.. (seen?.Recent ?? target.Recent).Select(ToDto)],
        VantagePoints = [.. (seen is null ? target.VantagePoints : [seen]).Select(ToDto)],
        WhyOnlyTheHub = target.WhyOnlyTheHub,
        Difference = target.Difference,
        LostVantagePoints = [.. target.LostVantages.Select(ToDto)],
        Chart = chart,
    };

    public static VantageStandingDto ToDto(this VantageStanding standing) => new()
    {
        Id = standing.Id,
        Name = standing.Name,
        Targets = standing.Targets,
        LastToldAt = standing.LastToldAt,
        Trouble = standing.Trouble is { } trouble ? ApiWords.Kebab(trouble) : null,
        Since = standing.Since,
        Text = standing.Trouble is null ? null : standing.LostSentence,
        OnlyTheHub = standing.OnlyTheHub,
    };

    private static VantagePointDto ToDto(VantagePoint point) => new()
    {
        Id = point.Id,
        Name = point.Name,
        State = ApiWords.State(point.State),
        LastProbeAt = point.LastProbeAt,
        RoundTripMs = point.Recent is [.., { RoundTrip: { } time }] ? time.TotalMilliseconds : null,
        Error = point.Recent is [.., { Answered: false, Error: var error }] ? error : null,
        Problem = point.Problem,
        Sent = point.Recent.Length,
        Lost = point.Recent.Count(s => !s.Answered),
    };

    public static ReachabilityChartDto ToDto(this ReachabilityChart chart, string vantage) => new()
    {
        VantagePoint = vantage,
        From = chart.From,
        To = chart.To,
        StepSeconds = (int)chart.Step.TotalSeconds,
        Whole = chart.Whole is { } whole ? ToDto(whole) : null,
        Points = [.. chart.Points.Select(ToDto)],
    };

    private static ReachabilityPointDto ToDto(ReachabilityPoint point) => new()
    {
        At = point.At,
        Sent = point.Sent,
        Lost = point.Lost,
        Loss = point.Loss,
        MinMs = point.RoundTrips?.Minimum.TotalMilliseconds,
        AvgMs = point.RoundTrips?.Mean.TotalMilliseconds,
        P50Ms = point.RoundTrips?.Median.TotalMilliseconds,
        P95Ms = point.RoundTrips?.P95.TotalMilliseconds,
        P99Ms = point.RoundTrips?.P99.TotalMilliseconds,
        MaxMs = point.RoundTrips?.Maximum.TotalMilliseconds,
        LongestSilenceMs = point.LongestSilence.TotalMilliseconds,
    };

    public static DrillReportDto ToDto(this DrillReport report) => new()
    {
        Passed = report.Passed,
        NotMeasured = report.NotMeasured,
        Drill = report.Drill.ToDto(),
        Failover = ToDto(report.There),
        Failback = ToDto(report.Back),
    };

    private static DrillMoveDto ToDto(DrillMove move) => new() { Operation = move.Operation?.ToDto(), Outages = [.. move.Measured.Select(ToDto)] };

    public static OutageDto ToDto(this OutageRecord outage) => new()
    {
        At = outage.At,
        Pair = outage.Pair,
        Prefix = outage.Prefix,
        VantagePoint = outage.Vantage,
        VantageName = outage.VantageName,
        Kind = ApiWords.Kebab(outage.Kind),
        OperationId = outage.OperationId,
        From = outage.From,
        To = outage.To,
        Sent = outage.Figures.Sent,
        Lost = outage.Figures.Lost,
        FirstLossAt = outage.Figures.FirstLossAt,
        LastLossAt = outage.Figures.LastLossAt,
        LongestMs = outage.Figures.Longest.TotalMilliseconds,
        ShortestMs = outage.Figures.Shortest?.TotalMilliseconds,
        UnprobedMs = outage.Figures.Unprobed?.TotalMilliseconds,
        GoesOn = outage.Figures.GoesOn,
        ResolutionMs = outage.Figures.Resolution.TotalMilliseconds,
    };

    public static TargetDto ToDto(this NamedTarget target) => new()
    {
        Id = target.Id,
        Name = target.Name,
        Kind = ApiWords.Kebab(target.Draft.Kind),
        Address = target.Draft.Address!,
        Port = target.Draft.Port,
        IntervalSeconds = (int)target.Draft.Interval.TotalSeconds,
        Statuses = target.Draft.Statuses,
        BodyPattern = target.Draft.BodyPattern,
        TrustAnyCertificate = target.Draft.TrustAnyCertificate,
        CertificateDays = target.Draft.CertificateDays,
        Revision = target.Revision,
    };

    public static ProbeDto ToDto(this ProbeSample sample) => new(sample.At, sample.Answered, sample.RoundTrip?.TotalMilliseconds, sample.Error);

    private static MemberDto ToDto(MemberView member) => new()
    {
        Node = member.Node.Name,
        Link = ApiWords.State(member.Node.Link),
        LastReportAt = member.Node.LastReportAt,
        Drained = member.Node.Drained,
        LocallyDrained = member.Node.LocallyDrained,
        Health = ApiWords.State(member.Node.Health),
        Sessions = new SessionCountDto(member.Node.EstablishedSessions, member.Node.Sessions.Length),
        Prefixes = [.. member.Prefixes.Select(ToMemberPrefix)],
    };

    private static MemberPrefixDto ToMemberPrefix(PrefixView prefix) => new()
    {
        Prefix = prefix.Prefix.ToString(),
        AssignedRole = prefix.AssignedRole is { } assigned ? ApiWords.Kebab(assigned) : null,
        ReportedRole = prefix.ReportedRole is { } reported ? ApiWords.Kebab(reported) : null,
        Announced = prefix.Announced,
        WithdrawnReason = prefix.WithdrawnReason is { } reason ? ApiWords.Kebab(reason) : null,
        Health = ApiWords.State(prefix.Health),
        Failback = prefix.Failback is { } failback ? ToDto(failback) : null,
        FailbackHold = prefix.Hold is { } hold ? new FailbackHoldDto(hold.Remaining?.TotalSeconds, hold.Reason) : null,
        Damped = prefix.Damped,
        LocalRole = prefix.LocalRole is { } local ? ApiWords.Kebab(local) : null,
    };

    private static NodePrefixDto ToNodePrefix(PrefixView prefix)
    {
        MemberPrefixDto member = ToMemberPrefix(prefix);
        return new NodePrefixDto
        {
            Prefix = member.Prefix,
            AssignedRole = member.AssignedRole,
            ReportedRole = member.ReportedRole,
            Announced = member.Announced,
            WithdrawnReason = member.WithdrawnReason,
            Health = member.Health,
            Failback = member.Failback,
            FailbackHold = member.FailbackHold,
            Damped = member.Damped,
            LocalRole = member.LocalRole,
            AddressPresent = prefix.AddressPresent,
            SessionsCarrying = prefix.SessionsCarrying,
        };
    }

    private static SessionDto ToDto(SessionView session) => new()
    {
        Neighbor = session.Neighbor,
        State = ApiWords.State(session.State),
        StateSince = session.StateSince,
        LastError = session.LastError,
        LastErrorAt = session.LastErrorAt,
        LastErrorFromPeer = session.LastErrorFromPeer,
        HoldTimeSeconds = session.HoldTime?.TotalSeconds,
        MessagesReceived = session.MessagesReceived,
        MessagesSent = session.MessagesSent,
        Flaps = session.Flaps,
    };
}
