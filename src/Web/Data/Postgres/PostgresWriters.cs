using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace FailoverHub.Web.Data;

/// <summary>
/// One writer at a time: every transaction first takes a lock that ends with it. So it is with SQLite's IMMEDIATE transactions, and what
/// the stores do rests on it: reading the head of the audit's chain and adding to it, or the next number of an operation, cannot be
/// interleaved, not even by another process, and since nobody holds a row before the lock, no two of them can wait for each other.
/// Who reads without a transaction waits for nobody.
/// </summary>
internal sealed class PostgresWriters : DbTransactionInterceptor
{
    // As long as SQLite's own limit (DataFolder). A writer that vanished with its machine must not hold the others up for longer than that.
    private const string Take =
        "SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '30s'; SELECT pg_advisory_xact_lock(77277275271762)";

    public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        using var command = Command(connection, result);
        command.ExecuteNonQuery();
        return result;
    }

    public override async ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        var command = Command(connection, result);
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        return result;
    }

    private static DbCommand Command(DbConnection connection, DbTransaction transaction)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = Take;
        return command;
    }
}
