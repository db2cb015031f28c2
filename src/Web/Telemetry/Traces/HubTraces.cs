using System.Diagnostics;
using FailoverHub.Web.Configuration;

namespace FailoverHub.Web.Telemetry.Traces;

/// <summary>
/// The hub's own spans. A request for an operation begins a trace whose id is the correlation id of the audit, the events and the operation: whoever has one of them has the other. When nobody
/// listens (no endpoint is set) nothing is made, and every method here answers at once.
/// </summary>
internal static class HubTraces
{
    public const string SourceName = "FailoverHub";

    private static readonly ActivitySource Source = new(SourceName, HubVersion.Text);

    /// <summary>Something is asked for, in a trace of its own that is linked with what surrounds it (the HTTP request, the click). Dispose it when the answer is there. Null: nobody listens.</summary>
    public static Activity? BeginRequest(string name)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        Activity? surrounding = Activity.Current;
        ActivityLink[] links = surrounding is null ? [] : [new ActivityLink(surrounding.Context)];
        var trace = ActivityTraceId.CreateFromString(Guid.CreateVersion7().ToString("N"));

        // Otherwise the span around would be its parent, in another trace.
        Activity.Current = null;
        Activity? request = Source.StartActivity($"request {name}", ActivityKind.Internal, RootOf(trace), links: links);
        if (request is null)
        {
            Activity.Current = surrounding;
        }
        else if (surrounding is not null)
        {
            // "POST /api/v1/pairs/web/operations", or the component and handler of a click.
            request.SetTag("failoverhub.surrounding", $"{surrounding.DisplayName} {surrounding.GetTagItem("url.path")}".TrimEnd());
            surrounding.AddLink(new ActivityLink(request.Context));
        }

        return request;
    }

    /// <summary>A part of a request: the rules, the transaction. Null: this is part of none.</summary>
    public static Activity? Part(string name) => RequestOf(Activity.Current) is null ? null : Source.StartActivity(name);

    /// <summary>The id of a new operation: that of the trace of its request, or a new one where nothing is traced or the trace has its operation.</summary>
    public static string NewOperationId()
    {
        Activity? request = RequestOf(Activity.Current);
        if (request is null || request.GetTagItem(OperationTag) is not null)
        {
            return Guid.CreateVersion7().ToString("N");
        }

        string id = request.TraceId.ToHexString();
        request.SetTag(OperationTag, id);
        return id;
    }

    /// <summary>Every span of an operation says which one.</summary>
    public const string OperationTag = "failoverhub.operation";

    /// <summary>Begins a span that is nobody's surrounding: it lasts longer than the call in which it is begun.</summary>
    /// <param name="name">What it is.</param>
    /// <param name="kind">Which side of a message it is.</param>
    /// <param name="parent">What it is a part of; <see cref="RootOf"/>: nothing.</param>
    /// <param name="startedAt">When it began; null: now.</param>
    public static Activity? Start(string name, ActivityKind kind, ActivityContext parent, DateTimeOffset? startedAt = null)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        Activity? surrounding = Activity.Current;
        Activity.Current = null;
        Activity? started = Source.StartActivity(name, kind, parent, startTime: startedAt ?? default);
        Activity.Current = surrounding;
        return started;
    }

    /// <summary>The request that the operation came of, where this is called within it; else its trace without a parent.</summary>
    public static ActivityContext ParentOf(string operationId)
    {
        Activity? request = RequestOf(Activity.Current);
        return request?.TraceId.ToHexString() == operationId ? request.Context : RootOf(TraceOf(operationId));
    }

    // Operations are few, and each is traced whole.
    private static ActivityContext RootOf(ActivityTraceId trace) => new(trace, default, ActivityTraceFlags.Recorded);

    private static ActivityTraceId TraceOf(string operationId) =>
        operationId.Length == 32 && operationId.All(char.IsAsciiHexDigitLower) ? ActivityTraceId.CreateFromString(operationId) : ActivityTraceId.CreateRandom();

    private static Activity? RequestOf(Activity? from)
    {
        Activity? first = from;
        while (first?.Parent is { } parent && parent.TraceId == first.TraceId)
        {
            first = parent;
        }

        return first?.Source.Name == SourceName ? first : null;
    }
}
