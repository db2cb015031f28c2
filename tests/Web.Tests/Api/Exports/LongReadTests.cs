using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using FailoverHub.Web.Access;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Api.Exports;

/// <summary>Walks over the whole past: how many go on at once, and that one ends when its reader has gone.</summary>
[Trait("Kind", "Hub")]
public sealed class LongReadTests : IAsyncLifetime
{
    private const string Export = "/api/v1/events/export?format=json";

    private HeldHistory _history = null!;
    private WholeHub _hub = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hub = await WholeHub.StartAsync(builder => builder.Services.AddSingleton<IHistory>(p => _history = new HeldHistory(p.GetRequiredService<SqliteHistory>())));
        _ = _hub.Get<IHistory>();
    }

    public async ValueTask DisposeAsync()
    {
        _history.Release();
        await _hub.DisposeAsync();
    }

    [Theory]
    [InlineData("/api/v1/events/export")]
    [InlineData("/api/v1/audit/export")]
    [InlineData("/api/v1/audit/verify")]
    [InlineData("/api/v1/audit/chain")]
    public async Task SecondOfTheSameToken_IsRefusedWithWhenAndWhyUntilTheFirstHasEnded(string second)
    {
        HttpClient script = await _hub.ScriptAsync(ApiScope.Read);
        Task<string> first = script.GetStringAsync(Export, Stop);
        await _history.EnteredAsync(1);

        using HttpResponseMessage refused = await script.GetAsync(second, Stop);
        _history.Release();
        await first;

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(LongReads.ComeAgainAfter, refused.Headers.RetryAfter?.Delta);
        Assert.Contains("One at a time for each person or token", await DetailAsync(refused), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await AskUntilTakenAsync(script, second));
    }

    [Fact]
    public async Task ManyReaders_AreFourAtOnceAndOrdinaryReadingGoesOn()
    {
        List<Task<string>> reading = [];
        for (int i = 0; i < LongReads.All; i++)
        {
            reading.Add((await _hub.ScriptAsync(ApiScope.Read)).GetStringAsync(Export, Stop));
        }

        await _history.EnteredAsync(LongReads.All);
        HttpClient next = await _hub.SignedInAsync();
        using HttpResponseMessage refused = await next.GetAsync("/api/v1/audit/verify", Stop);
        using HttpResponseMessage ordinary = await next.GetAsync("/api/v1/pairs", Stop);
        _history.Release();
        await Task.WhenAll(reading);

        Assert.Equal((HttpStatusCode.TooManyRequests, HttpStatusCode.OK), (refused.StatusCode, ordinary.StatusCode));
        Assert.Contains("4 exports or checks of the chain are going on", await DetailAsync(refused), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await AskUntilTakenAsync(next, "/api/v1/audit/verify"));
    }

    [Theory]
    [InlineData(Export)]
    [InlineData("/api/v1/audit/verify")]
    public async Task ReaderWhoGoesAway_StopsTheWalkAndGivesThePlaceBack(string path)
    {
        HttpClient script = await _hub.ScriptAsync(ApiScope.Read);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        Task<HttpResponseMessage> reading = script.GetAsync(path, HttpCompletionOption.ResponseContentRead, gone.Token);
        await _history.EnteredAsync(1);

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await _history.Cancelled.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        _history.Release();

        Assert.Equal(HttpStatusCode.OK, await AskUntilTakenAsync(script, path));
    }

    [Fact]
    public void Place_IsGivenBackOnceHoweverOftenItIsLeft()
    {
        var reads = new LongReads();
        IDisposable first = reads.TryBegin("anna", out _)!;

        first.Dispose();
        IDisposable? second = reads.TryBegin("anna", out _);
        first.Dispose();

        Assert.NotNull(second);
        Assert.Null(reads.TryBegin("anna", out string why));
        Assert.StartsWith("An export or a check", why, StringComparison.Ordinal);
    }

    // The place is given back a moment after the last octet has arrived.
    private static async Task<HttpStatusCode> AskUntilTakenAsync(HttpClient client, string path)
    {
        while (true)
        {
            using HttpResponseMessage answer = await client.GetAsync(path, Stop);
            if (answer.StatusCode != HttpStatusCode.TooManyRequests || (await DetailAsync(answer)).StartsWith("Too many requests", StringComparison.Ordinal))
            {
                return answer.StatusCode;
            }
        }
    }

    private static async Task<string> DetailAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Stop)).RootElement.GetProperty("detail").GetString()!;

    /// <summary>Reads the past when the test lets it.</summary>
    private sealed class HeldHistory(IHistory inner) : IHistory
    {
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Channel<bool> _entered = Channel.CreateUnbounded<bool>();

        public Task Cancelled => _cancelled.Task;

        public void Release() => _released.TrySetResult();

        public async Task EnteredAsync(int count)
        {
            for (int i = 0; i < count; i++)
            {
                await _entered.Reader.ReadAsync(Stop).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Stop);
            }
        }

        public async Task<HistoryPage<EventRecord>> EventsAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
        {
            await HoldAsync(cancellationToken);
            return await inner.EventsAsync(filter, cursor, limit, cancellationToken);
        }

        public Task<HistoryPage<AuditEntry>> AuditAsync(HistoryFilter filter, string? cursor, int limit, CancellationToken cancellationToken) => inner.AuditAsync(filter, cursor, limit, cancellationToken);

        public Task<HistoryPage<AuditCheckpoint>> CheckpointsAsync(string? cursor, int limit, CancellationToken cancellationToken) => inner.CheckpointsAsync(cursor, limit, cancellationToken);

        public async Task<AuditVerification> VerifyAuditAsync(CancellationToken cancellationToken)
        {
            await HoldAsync(cancellationToken);
            return await inner.VerifyAuditAsync(cancellationToken);
        }

        public Task<ImmutableArray<IntentRecord>> IntentsAsync(string operationId, CancellationToken cancellationToken) => inner.IntentsAsync(operationId, cancellationToken);

        public IAsyncEnumerable<HistoryAppended> WatchAsync(CancellationToken cancellationToken) => inner.WatchAsync(cancellationToken);

        private async Task HoldAsync(CancellationToken cancellationToken)
        {
            _entered.Writer.TryWrite(true);
            try
            {
                await _released.Task.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                _cancelled.TrySetResult();
                throw;
            }
        }
    }
}
