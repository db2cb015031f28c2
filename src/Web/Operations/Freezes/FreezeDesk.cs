using System.Collections.Immutable;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations.Running;

namespace FailoverHub.Web.Operations.Freezes;

/// <summary>
/// Where freezes are asked for. A freeze is in force as soon as it is on the disk: no operation begins any more; one that is under way goes on
/// to its end. What the nodes have to be told follows it, by <see cref="FreezeKeeper"/>.
/// </summary>
internal sealed class FreezeDesk(OperationServices services, FreezeStore store, AuditLog audit)
{
    public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem) => FreezeTarget.Resolve(services.Fleet.State, request, out problem)?.Preview();

    /// <summary>Whoever calls it holds the lock of admission.</summary>
    public async Task<SubmitResult> SubmitAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        if (FreezeTarget.Resolve(services.Fleet.State, request, out var problem) is not { } target)
        {
            await audit.WriteAsync(Records.OperationRecords.ToAuditDraft(request, actor, problem!), cancellationToken);
            return problem!;
        }

        var preview = target.Preview();
        if (!preview.Allowed)
        {
            var why = string.Join("; ", preview.Rules.Where(r => r.Blocks).Select(r => $"{r.RuleId} {r.Name}: {r.Message}"));
            await audit.WriteAsync(Draft(target, actor, $"refused: {why}"), cancellationToken);
            return new SubmitResult.Refused(preview);
        }

        var view = ToView(target, actor, services.Time.GetUtcNow()) with { Rules = preview.Rules };
        var draft = Draft(target, actor, "accepted") with { Before = Json(target.Now?.Until), CorrelationId = view.Id };
        var others = services.Fleet.State.Facts.Freezes.RemoveAll(f => f.Scope == target.Scope);
        if (request.Type == OperationType.Freeze)
        {
            var freeze = new FreezeFacts(target.Scope, target.Until, actor.Name, request.Reason!, view.Id);
            await store.SetAsync(freeze, draft with { After = Json(freeze.Until) }, view, cancellationToken);
            others = others.Add(freeze);
        }
        else
        {
            await store.EndAsync(target.Scope, draft with { After = Json(null) }, view, cancellationToken);
        }

        // It is on the disk: whoever asked may hang up, and the next who is let in must still find it.
        await PublishAsync(others);
        services.Feed.Publish(view);
        return new SubmitResult.Accepted(view.Id);
    }

    /// <summary>Makes it known; whoever asks for an operation next finds it in force. Whoever calls it holds the lock of admission, until the snapshot shows it or the hub stops.</summary>
    public async Task PublishAsync(ImmutableArray<FreezeFacts> freezes)
    {
        if (await services.Fleet.PostAsync(new FleetMessage.FreezesChanged(freezes), CancellationToken.None))
        {
            Task seen = services.Fleet.WaitUntilAsync(s => s.Facts.Freezes.SequenceEqual(freezes), services.Fleet.Stopping);
            await seen.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static OperationView ToView(FreezeTarget target, Actor actor, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7().ToString("N"),
        Type = target.Request.Type,
        PairId = target.Scope,
        PairName = target.Name,
        Node = null,
        Title = target.Title,
        Status = OperationStatus.Succeeded,
        Outcome = target.Request.Type == OperationType.Unfreeze
            ? "It is no longer frozen. The nodes that can be reached get their failback policies back, the others when they come back."
            : $"It is frozen until {FreezeTarget.Time(target.Until)}. The nodes that can be reached are told to hold failback, the others when they come back.",
        Reason = target.Request.Reason!,
        Actor = actor.Name,
        RequestedAt = now,
        FinishedAt = now,
        Steps = [],
    };

    private static AuditDraft Draft(FreezeTarget target, Actor actor, string outcome) => new()
    {
        Actor = actor,
        Action = Records.OperationRecords.TypeWord(target.Request.Type),
        Target = target.AuditTarget,
        Reason = target.Request.Reason,
        Outcome = outcome,
    };

    private static string Json(DateTimeOffset? until) => until is { } at ? $"{{\"frozenUntil\":\"{at.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}\"}}" : "{\"frozenUntil\":null}";
}
