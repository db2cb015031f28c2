using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Tests.Components.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>No operation that fails falls between the past and what is told from then on.</summary>
public sealed class OperationFollowingTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new(Make.At);
    private readonly Feed _feed = new();
    private readonly OperationFollowing _following;
    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public OperationFollowingTests() => _following = new OperationFollowing(_feed, _clock, NullLogger<OperationFollowing>.Instance);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _following.Dispose();
        _end.Dispose();
    }

    [Fact]
    public async Task OperationThatFails_WhileThePastIsRead_IsKnown()
    {
        // The past was read from the disk just before; then it failed, and was told to whoever listened already.
        _feed.WhileThePastIsRead = () => _feed.Tell(Make.Operation("op-1", OperationStatus.Failed));

        await _following.StartAsync(Stop);
        Task following = _following.FollowAsync(_end.Token);
        await UntilAsync(() => _following.Failed.Length == 1);

        await EndAsync(following);
        Assert.Equal("op-1", Assert.Single(_following.Failed).Newest.Id);
    }

    [Fact]
    public async Task OperationOfThePast_ThatIsToldOnceMore_CountsOnce()
    {
        _feed.Past.AddRange([Make.Operation("op-2", OperationStatus.Failed) with { RequestedAt = Make.At.AddSeconds(2) }, Make.Operation("op-1", OperationStatus.Failed)]);
        _feed.WhileThePastIsRead = () => _feed.Tell(Make.Operation("op-1", OperationStatus.Failed));

        await _following.StartAsync(Stop);
        Task following = _following.FollowAsync(_end.Token);
        _feed.Tell(Make.Operation("op-3", OperationStatus.Failed) with { RequestedAt = Make.At.AddSeconds(3) });
        await UntilAsync(() => _following.Failed is [{ Newest.Id: "op-3" }]);

        await EndAsync(following);
        Assert.Equal(3, Assert.Single(_following.Failed).Times);
    }

    [Fact]
    public async Task Past_IsCountedAsItEnded_NotAsItWasAskedFor()
    {
        // Newest first, as the desk lists them: the oldest was asked for hours before the one that succeeded, and failed after it.
        _feed.Past.AddRange(
        [
            Make.Operation("succeeded", OperationStatus.Succeeded) with { RequestedAt = Make.At.AddHours(1), FinishedAt = Make.At.AddHours(1) },
            Make.Operation("scheduled", OperationStatus.TimedOut) with { FinishedAt = Make.At.AddHours(4) },
            Make.Operation("failed", OperationStatus.Failed) with { RequestedAt = Make.At.AddHours(-1), FinishedAt = Make.At.AddMinutes(-59) },
        ]);

        await _following.StartAsync(Stop);

        FailedOperation failed = Assert.Single(_following.Failed);
        Assert.Equal(("scheduled", 1), (failed.Newest.Id, failed.Times));
    }

    [Fact]
    public async Task LoopThatBreaks_BeginsAnew_WithWhatFailedMeanwhile()
    {
        await _following.StartAsync(Stop);
        Task following = _following.FollowAsync(_end.Token);

        _feed.Past.Add(Make.Operation("op-1", OperationStatus.Failed));
        _feed.Break();
        await UntilAsync(() => _following.Failed.Length == 1);
        _feed.Tell(Make.Operation("op-2", OperationStatus.Failed) with { PairId = "other" });
        await UntilAsync(() => _following.Failed.Length == 2);

        await EndAsync(following);
    }

    private async Task EndAsync(Task following)
    {
        await _end.CancelAsync();
        await following;
    }

    // The pause before it begins anew is virtual.
    private async Task UntilAsync(Func<bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            safety.Token.ThrowIfCancellationRequested();
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Yield();
        }
    }

    /// <summary>Tells whoever listens at that moment, as the real one does.</summary>
    private sealed class Feed : IOperations
    {
        private readonly Lock _gate = new();
        private System.Threading.Channels.Channel<OperationView>? _listener;

        public List<OperationView> Past { get; } = [];

        public Action WhileThePastIsRead { get; set; } = () => { };

        public void Tell(OperationView operation)
        {
            lock (_gate)
            {
                _listener?.Writer.TryWrite(operation);
            }
        }

        public void Break()
        {
            lock (_gate)
            {
                _listener!.Writer.Complete(new InvalidOperationException("A defect."));
                _listener = null;
            }
        }

        public Task<IReadOnlyList<OperationView>> RecentAsync(OperationFilter filter, int limit, CancellationToken cancellationToken)
        {
            IReadOnlyList<OperationView> past = [.. Past];
            WhileThePastIsRead();
            return Task.FromResult(past);
        }

        public async IAsyncEnumerable<OperationView> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var mine = System.Threading.Channels.Channel.CreateUnbounded<OperationView>();
            lock (_gate)
            {
                _listener = mine;
            }

            await foreach (OperationView operation in mine.Reader.ReadAllAsync(cancellationToken))
            {
                yield return operation;
            }
        }

        public OperationPreview? Preview(OperationRequest request, out SubmitResult? problem) => throw new NotSupportedException();

        public Task<SubmitResult> SubmitAsync(OperationRequest request, Actor actor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<SubmitResult> CancelAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<SubmitResult> ApproveAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<SubmitResult> RejectAsync(string id, string reason, Actor actor, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<OperationView?> FindAsync(string id, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<IReadOnlyList<OperationView>?> BeforeAsync(OperationFilter filter, string id, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
