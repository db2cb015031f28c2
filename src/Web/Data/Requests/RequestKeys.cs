using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data.Requests;

/// <summary>What the hub answered to a request.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="ContentType">Null: no body.</param>
/// <param name="Location">Where to follow it, null: nowhere.</param>
/// <param name="Etag">Its entity tag, null: it has none.</param>
/// <param name="Body">UTF-8 text.</param>
internal sealed record KeptAnswer(int Status, string? ContentType, string? Location, string? Etag, string Body);

/// <summary>A request that was made before.</summary>
/// <param name="RequestHash">What it said.</param>
/// <param name="At">When.</param>
/// <param name="OperationId">What it set going, null: no operation.</param>
/// <param name="Answer">What it was answered; null: the hub ended in between.</param>
internal sealed record KnownRequest(string RequestHash, DateTimeOffset At, string? OperationId, KeptAnswer? Answer);

/// <summary>Requests with a key and their answers, on the disk; and one turn at a time for each key.</summary>
internal sealed class RequestKeys(IDbContextFactory<HubDbContext> factory, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Caller, string Key), Turn> _turns = [];

    /// <summary>Waits until no other request with that key is under way. Dispose what it returns.</summary>
    public async Task<IDisposable> TakeTurnAsync(string caller, string key, CancellationToken cancellationToken)
    {
        Turn turn;
        lock (_gate)
        {
            turn = _turns.TryGetValue((caller, key), out Turn? known) ? known : _turns[(caller, key)] = new Turn();
            turn.Users++;
        }

        try
        {
            await turn.Free.WaitAsync(cancellationToken);
        }
        catch
        {
            Leave((caller, key), turn, took: false);
            throw;
        }

        return new Taken(() => Leave((caller, key), turn, took: true));
    }

    /// <summary>The request with this key within the last day, null: there is none.</summary>
    public async Task<KnownRequest?> FindAsync(string caller, string key, CancellationToken cancellationToken)
    {
        long oldest = (time.GetUtcNow() - RepeatableRequest.KeptFor).ToUnixTimeMilliseconds();
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        RequestKeyEntity? row = await db.RequestKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Caller == caller && k.Key == key && k.AtMs >= oldest, cancellationToken);
        return row is null
            ? null
            : new KnownRequest(
                row.RequestHash,
                DateTimeOffset.FromUnixTimeMilliseconds(row.AtMs),
                row.CorrelationId,
                row.Status is { } status ? new KeptAnswer(status, row.ContentType, row.Location, row.Etag, row.Body ?? "") : null);
    }

    /// <summary>Keeps what was answered.</summary>
    /// <exception cref="DbUpdateException">It could not be written.</exception>
    public async Task KeepAsync(string caller, string key, KeptAnswer answer, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        if (await db.RequestKeys.SingleOrDefaultAsync(k => k.Caller == caller && k.Key == key, cancellationToken) is { } row)
        {
            (row.Status, row.ContentType, row.Location, row.Etag, row.Body) = (answer.Status, answer.ContentType, answer.Location, answer.Etag, answer.Body);
            await db.SaveChangesAsync(cancellationToken);
        }
    }

    /// <summary>Nothing was done, and asking again may be answered otherwise.</summary>
    /// <exception cref="DbUpdateException">It could not be written.</exception>
    public async Task ForgetAsync(string caller, string key, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await factory.CreateDbContextAsync(cancellationToken);
        await db.RequestKeys.Where(k => k.Caller == caller && k.Key == key).ExecuteDeleteAsync(cancellationToken);
    }

    private void Leave((string Caller, string Key) of, Turn turn, bool took)
    {
        lock (_gate)
        {
            if (--turn.Users == 0)
            {
                _turns.Remove(of);
            }
        }

        if (took)
        {
            turn.Free.Release();
        }
    }

    // Not disposed: whoever waits for it may still hold it, and it has no handle unless somebody asks for one.
    private sealed class Turn
    {
        public SemaphoreSlim Free { get; } = new(1);

        public int Users { get; set; }
    }

    private sealed class Taken(Action leave) : IDisposable
    {
        public void Dispose() => leave();
    }
}
