using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace FailoverHub.Web.Data;

/// <summary>
/// One writer at a time: every transaction first takes a lock that ends with it. So it is with SQLite's IMMEDIATE transactions, and what
/// the stores do rests on it: reading the head of the audit's chain and adding to it, or the next number of an operation, cannot be
/// interleaved, not even by another process, and since nobody holds a row before the lock, no two of them can wait for each other.
/// Who reads without a transaction waits for nobody.
/// A commit whose answer is lost is found out (<see cref="LostCommits"/>): whoever committed learns whether it happened, and nothing is written twice or thought undone.
/// </summary>
internal sealed class PostgresWriters : DbTransactionInterceptor
{
    // As long as SQLite's own limit (DataFolder). A writer that vanished with its machine must not hold the others up for longer than that.
    private const string Take =
        "SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '30s'; SELECT pg_current_xact_id()::text, pg_advisory_xact_lock(77277275271762)";

    // By the object of the transaction, which Npgsql uses again for the next one of the same connection.
    private readonly ConditionalWeakTable<DbTransaction, string> _ids = [];

    public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        using var command = Command(connection, result);
        _ids.AddOrUpdate(result, (string)command.ExecuteScalar()!);
        return result;
    }

    public override async ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        var command = Command(connection, result);
        await using (command.ConfigureAwait(false))
        {
            _ids.AddOrUpdate(result, (string)(await command.ExecuteScalarAsync(cancellationToken))!);
        }

        return result;
    }

    /// <summary>Commits itself, because only whoever does can take back that it failed.</summary>
    public override async ValueTask<InterceptionResult> TransactionCommittingAsync(
        DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        try
        {
            await transaction.CommitAsync(cancellationToken);
        }
        catch (DbException fault) when (LostCommits.IsOne(fault) && _ids.TryGetValue(transaction, out string? id) && eventData.Context is { } context)
        {
            if (!await LostCommits.HappenedAsync(context.Database.GetConnectionString()!, id))
            {
                throw;
            }
        }

        return InterceptionResult.Suppress();
    }

    private static DbCommand Command(DbConnection connection, DbTransaction transaction)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = Take;
        return command;
    }
}
