using System.Text.RegularExpressions;
using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Planning;
using FailoverHub.Web.Operations.Rules;

namespace FailoverHub.Web.Operations.Waiting;

/// <summary>An operation that is audited and stored, of which nothing is planned for good yet: it waits for a second person, or for its time.</summary>
/// <param name="View">How it stands: PendingApproval, or Queued for its time.</param>
/// <param name="Request">What was asked for; the rules are asked again when it begins.</param>
/// <param name="Actor">Who asked for it.</param>
internal sealed record WaitingOperation(OperationView View, OperationRequest Request, Actor Actor)
{
    /// <summary>When it is tried again, because something that passes stood in its way; null: it was not tried yet.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Why it is refused, which could not be stored yet: that is decided, and it does not begin any more. Null: nothing is decided.</summary>
    public string? RefusedFor { get; init; }

    /// <summary>Number of the newest operation when it was set going: what it began itself has a higher one. Null: it has not begun, or an earlier version began it.</summary>
    public long? After { get; init; }

    /// <summary>What stood in its way when it was last tried, in words; null: nothing did.</summary>
    public string? Hindrance { get; init; }

    private static readonly TimeSpan ShortWindow = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan ApproveWithin = TimeSpan.FromHours(1);

    /// <summary>A request that has to wait.</summary>
    /// <param name="target">What is asked for.</param>
    /// <param name="plan">What it would do now.</param>
    /// <param name="preview">What the rules say to it now, and whether a second person has to agree first.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="now">When.</param>
    public static WaitingOperation Of(OperationTarget target, OperationPlan plan, OperationPreview preview, Actor actor, DateTimeOffset now)
    {
        return new WaitingOperation(
            Let(new OperationView
            {
                Id = Guid.CreateVersion7().ToString("N"),
                Type = plan.Type,
                PairId = plan.PairId,
                PairName = plan.PairName,
                Node = plan.Node,
                Title = plan.Title,
                Status = OperationStatus.Queued,
                Outcome = null,
                Reason = target.Request.Reason!,
                Actor = actor.Name,
                RequestedAt = now,
                FinishedAt = null,
                Steps = [.. plan.StepTitles.Select(t => new OperationStep(t, StepStatus.Pending, null, null, null))],
                Rules = preview.Rules,
            }, target.Request, preview.NeedsApproval, now),
            target.Named,
            actor);
    }

    /// <summary>A bulk drain that a second person has to approve, or whose time has not come.</summary>
    public static WaitingOperation Of(BulkTarget target, OperationPreview preview, Actor actor, DateTimeOffset now) =>
        new(Let(target.ToView(preview, actor, now), target.Request, preview.NeedsApproval, now), target.Request, actor);

    /// <summary>A drill that a second person has to approve.</summary>
    public static WaitingOperation Of(DrillTarget target, OperationPreview preview, Actor actor, DateTimeOffset now) =>
        new(target.ToView(preview, actor, now) with { Status = OperationStatus.PendingApproval, ApprovalEndsAt = now + ApproveWithin }, target.Request with { Target = target.Away }, actor);

    // Until when it waits, and for whom.
    private static OperationView Let(OperationView view, OperationRequest request, bool needsApproval, DateTimeOffset now)
    {
        var windowEnds = request.StartAt is { } start ? request.WindowEndsAt ?? start + ShortWindow : (DateTimeOffset?)null;
        return view with
        {
            Status = needsApproval ? OperationStatus.PendingApproval : OperationStatus.Queued,
            ScheduledFor = request.StartAt,
            WindowEndsAt = windowEnds,
            ApprovalEndsAt = needsApproval ? windowEnds ?? now + ApproveWithin : null,
        };
    }

    /// <summary>The undrain that ends a drain with an end; null: it has none. It is the hub's own doing, so two signals have to agree to it.</summary>
    /// <param name="drain">The drain.</param>
    /// <param name="id">Its operation.</param>
    /// <param name="actor">Who asked for it.</param>
    /// <param name="now">When it begins.</param>
    public static WaitingOperation? Undrain(OperationTarget drain, string id, Actor actor, DateTimeOffset now)
    {
        if (drain is not { Type: OperationType.Drain, Request.ExpiresIn: { } lasts })
        {
            return null;
        }

        var node = drain.Member.Node.Name;
        var request = new OperationRequest
        {
            Type = OperationType.Undrain,
            Node = node,
            Reason = $"The drain was to last {MomentRules.Words(lasts)}: {drain.Request.Reason}"[..Math.Min(SafetyRules.LongestReason, $"The drain was to last {MomentRules.Words(lasts)}: {drain.Request.Reason}".Length)],
            StartAt = now + lasts,
            WindowEndsAt = now + lasts + ApproveWithin,
            Automatic = true,
            Ends = id,
        };
        return new WaitingOperation(
            new OperationView
            {
                Id = Guid.CreateVersion7().ToString("N"),
                Type = OperationType.Undrain,
                PairId = drain.Pair.Id,
                PairName = drain.Pair.Name,
                Node = node,
                Title = $"Undrain {node}",
                Status = OperationStatus.Queued,
                Outcome = null,
                Reason = request.Reason,
                Actor = actor.Name,
                RequestedAt = now,
                FinishedAt = null,
                Steps = [],
                ScheduledFor = request.StartAt,
                WindowEndsAt = request.WindowEndsAt,
            },
            request,
            actor);
    }

    /// <summary>Outcome of the audit entry with which it was let in.</summary>
    public string AcceptedAs => View.Status == OperationStatus.PendingApproval ? "accepted, waits for a second person" : $"accepted, for {FreezeTarget.Time(View.ScheduledFor!.Value)}";

    /// <summary>
    /// When it must not begin any more; null: nobody has approved it. What was approved without a time begins with that: only a hub that was killed in between
    /// finds it so, and by then the hour for approving it and the window of what has no other one may be over.
    /// </summary>
    public DateTimeOffset? BeginsUntil => View.Status == OperationStatus.PendingApproval ? null : View.WindowEndsAt ?? View.RequestedAt + ApproveWithin + ShortWindow;

    /// <summary>When something has to be done about it by itself.</summary>
    public DateTimeOffset NextAt => View.Status == OperationStatus.PendingApproval
        ? View.ApprovalEndsAt ?? View.RequestedAt
        : RetryAt ?? View.ScheduledFor ?? View.RequestedAt;

    /// <summary>It would tell that node something, or take the addresses to it.</summary>
    public bool IsAbout(string node) => new[] { View.Node, Request.Node, Request.Target }.Contains(node, StringComparer.OrdinalIgnoreCase);

    /// <summary>The words of its steps name that node.</summary>
    public bool Names(string node) => View.Steps.Any(s => Word(node).IsMatch(s.Title));

    /// <summary>The same after one of its nodes got another name, in what was asked for and in the words for it.</summary>
    public WaitingOperation Renamed(string old, string name)
    {
        string? Of(string? node) => string.Equals(node, old, StringComparison.OrdinalIgnoreCase) ? name : node;
        string In(string text) => Word(old).Replace(text, name);
        return this with
        {
            View = View with { Node = Of(View.Node), Title = In(View.Title), Steps = [.. View.Steps.Select(s => s with { Title = In(s.Title) })] },
            Request = Request with { Node = Of(Request.Node), Target = Of(Request.Target) },
        };
    }

    private static Regex Word(string node) => new($@"(?<![\w.-]){Regex.Escape(node)}(?![\w-]|\.\w)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    /// <summary>The same, ended without having begun.</summary>
    public WaitingOperation Ended(OperationStatus status, string outcome, DateTimeOffset now) => this with
    {
        View = View with { Status = status, Outcome = outcome, FinishedAt = now, Steps = [.. View.Steps.Select(s => s with { Status = StepStatus.Skipped })] },
    };

    /// <summary>SR-11: who asked for it does not decide about it.</summary>
    public RuleResult TwoPerson(Actor approver) => ApprovalRules.TwoPerson(Request, Actor, approver);
}

/// <summary>What becomes of a waiting operation when its moment has come. A closed family.</summary>
internal abstract record WaitingFate
{
    private WaitingFate()
    {
    }

    /// <summary>It may begin.</summary>
    public sealed record Begins : WaitingFate;

    /// <summary>Something that passes stands in its way, and its window is still open.</summary>
    public sealed record WaitsOn(DateTimeOffset Until, string Hindrance) : WaitingFate;

    /// <summary>It never begins.</summary>
    public sealed record Ends(OperationStatus Status, string Action, string Why) : WaitingFate;

    /// <summary>What stands in its way is looked at again after this.</summary>
    public static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>What passes by itself: another operation, a cooldown, a hub that has just started.</summary>
    private static readonly string[] Passing = ["SR-05", "SR-06", "SR-08"];

    /// <summary>What else passes for the end of a drain: nobody stands by who would ask again, and its window is an hour because a node that is worked on is away, is not well or is frozen meanwhile.</summary>
    private static readonly string[] PassingForTheEndOfADrain = [.. Passing, "SR-03", "SR-07", "SR-09"];

    /// <summary>Before the fleet is looked at: whether its moment is over; null: it is not.</summary>
    public static WaitingFate? OfTime(WaitingOperation waiting, DateTimeOffset now) => waiting switch
    {
        { View.Status: OperationStatus.PendingApproval } => new Ends(OperationStatus.Cancelled, "approval-expired", "Nobody has approved it in time; nothing was sent."),
        { BeginsUntil: { } end } when now > end => new Ends(OperationStatus.TimedOut, "schedule-missed", $"Its window was over before the hub could begin it: {WhyNot(waiting)} It is not done late; nothing was sent."),
        _ => null,
    };

    private static string WhyNot(WaitingOperation waiting) =>
        waiting.Hindrance is { } hindrance ? $"what stood in its way last was {hindrance}" : "the hub was not running, or could not store it.";

    /// <summary>What stands in its way, as its outcome says it; for what does not pass by itself, with what to do.</summary>
    public static string WordsOf(IEnumerable<RuleResult> blocking) =>
        string.Join("; ", blocking.Select(r => $"{r.RuleId} {r.Name}: {r.Message}{(r.RuleId == ApprovalRules.RequesterRuleId ? $" {r.Remedy}" : "")}"));

    /// <summary>What the rules make of it.</summary>
    /// <param name="waiting">What waits.</param>
    /// <param name="preview">What they say now.</param>
    /// <param name="unheard">A node that it is about has not reported since the hub started: what the rules see of it is only what the hub does not know yet.</param>
    /// <param name="now">When.</param>
    public static WaitingFate OfRules(WaitingOperation waiting, OperationPreview preview, bool unheard, DateTimeOffset now)
    {
        var blocking = preview.Rules.Where(r => r.Blocks).ToList();
        if (blocking.Count == 0)
        {
            return new Begins();
        }

        var retry = now + RetryAfter;
        var passing = waiting.Request.Ends is null ? Passing : PassingForTheEndOfADrain;
        var passes = blocking.TrueForAll(r => r.RuleId != ApprovalRules.RequesterRuleId) && (unheard || blocking.TrueForAll(r => passing.Contains(r.RuleId)));
        return passes && waiting.BeginsUntil is { } end && retry <= end
            ? new WaitsOn(retry, WordsOf(blocking))
            : new Ends(OperationStatus.Refused, "schedule-refused", $"{WordsOf(blocking)} Nothing was sent.");
    }
}
