using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Tests.Components.Fakes;

/// <summary>Operations that answer as a test says, and remember what was asked for.</summary>
internal class FakeOperations : IOperations
{
    public Broadcast<OperationView> Changes { get; } = new();

    public List<OperationView> Known { get; } = [];

    public List<(OperationRequest Request, Actor Actor)> Submitted { get; } = [];

    public Func<OperationRequest, OperationPreview> OnPreview { get; set; } = _ => Make.Preview();

    /// <summary>Why there is no preview; null: there is one.</summary>
    public Func<OperationRequest, SubmitResult?> OnProblem { get; set; } = _ => null;

    public Func<OperationRequest, SubmitResult> OnSubmit { get; set; } = _ => new SubmitResult.Accepted("op-1");

    public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem)
    {
        problem = OnProblem(request);
        return problem is null ? OnPreview(request) : null;
    }

    public Task<SubmitResult> SubmitAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken)
    {
        Submitted.Add((request, actor));
        return Task.FromResult(OnSubmit(request));
    }

    public List<(string Id, string Reason)> Cancelled { get; } = [];

    public Task<SubmitResult> CancelAsync(string id, string reason, Actor actor, CancellationToken cancellationToken)
    {
        Cancelled.Add((id, reason));
        return Task.FromResult<SubmitResult>(new SubmitResult.Accepted(id));
    }

    public Task<SubmitResult> ApproveAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => CancelAsync(id, reason, actor, cancellationToken);

    public Task<SubmitResult> RejectAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => CancelAsync(id, reason, actor, cancellationToken);

    public Task<OperationView?> FindAsync(string id, CancellationToken cancellationToken) => Task.FromResult(Known.Find(operation => operation.Id == id));

    public Task<IReadOnlyList<OperationView>> RecentAsync(OperationFilter filter, int limit, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<OperationView>>([.. Known.Where(filter.Has).OrderByDescending(operation => operation.RequestedAt).Take(limit)]);

    public async Task<IReadOnlyList<OperationView>?> BeforeAsync(OperationFilter filter, string id, int limit, CancellationToken cancellationToken) =>
        Known.Find(operation => operation.Id == id) is { } last
            ? [.. (await RecentAsync(filter, int.MaxValue, cancellationToken)).SkipWhile(operation => operation.Id != last.Id).Skip(1).Take(limit)]
            : null;

    public void Publish(OperationView operation)
    {
        Known.RemoveAll(known => known.Id == operation.Id);
        Known.Add(operation);
        Changes.Send(operation);
    }

    public IAsyncEnumerable<OperationView> WatchAsync(CancellationToken cancellationToken) => Changes.ListenAsync([], cancellationToken);
}
