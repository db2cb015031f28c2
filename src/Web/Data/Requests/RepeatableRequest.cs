using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data.Requests;

/// <summary>
/// A request with an Idempotency-Key. It belongs to the first audited change that it makes, and is written in that transaction: a hub that is killed between the change and
/// the answer knows afterwards that the change was made, and does not make it again.
/// </summary>
internal sealed class RepeatableRequest(string caller, string key, string hash)
{
    /// <summary>How long a key is remembered.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    private volatile bool _written;

    /// <summary>The change that it stands for is on the disk; its answer is worth keeping.</summary>
    public bool Written => _written;

    /// <summary>Adds its row to the change's transaction, and takes away those that are too old.</summary>
    public async Task AddAsync(HubDbContext db, string? correlationId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // What an operation goes on to do for hours is audited in the same name; the request stands for its beginning.
        if (_written)
        {
            return;
        }

        var oldest = (now - KeptFor).ToUnixTimeMilliseconds();
        await db.RequestKeys.Where(k => k.AtMs < oldest).ExecuteDeleteAsync(cancellationToken);
        db.RequestKeys.Add(new RequestKeyEntity { Caller = caller, Key = key, RequestHash = hash, AtMs = now.ToUnixTimeMilliseconds(), CorrelationId = correlationId });
    }

    /// <summary>The transaction was committed.</summary>
    public void Committed() => _written = true;
}
