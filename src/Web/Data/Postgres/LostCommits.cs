using System.Data.Common;
using System.Net.Sockets;
using Npgsql;

namespace FailoverHub.Web.Data;

/// <summary>
/// A connection that broke while its COMMIT was on the way: the server has done it or not, and knows which by the transaction's number
/// (pg_xact_status, PostgreSQL 13). It is asked over another connection, until it says so or <see cref="Within"/> is over.
/// </summary>
internal static class LostCommits
{
    /// <summary>Then it counts as not done, and whoever wanted it is told that it failed.</summary>
    public static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>The answer is missing; any other fault is an answer.</summary>
    public static bool IsOne(DbException fault) => fault switch
    {
        // 57P: the server or this session is being ended; 08: the connection.
        PostgresException postgres => postgres.SqlState.StartsWith("57P", StringComparison.Ordinal) || postgres.SqlState.StartsWith("08", StringComparison.Ordinal),
        _ => true,
    };

    /// <summary>True: it is committed. False: it is not and never will be, or it cannot be found out in time.</summary>
    public static async Task<bool> HappenedAsync(string connectionString, string transaction)
    {
        // The pool's connections may have broken with this one.
        string alone = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = (int)Within.TotalSeconds, CommandTimeout = (int)Within.TotalSeconds }.ConnectionString;
        using var late = new CancellationTokenSource(Within, TimeProvider.System);
        while (!late.IsCancellationRequested)
        {
            try
            {
                switch (await AskAsync(alone, transaction, late.Token))
                {
                    case "committed":
                        return true;
                    case "aborted":
                        return false;
                }
            }
            catch (Exception e) when (e is DbException or SocketException or IOException or OperationCanceledException)
            {
                // The server is away, as it was for the commit; asked again.
            }

            // Still in progress: the server has not seen yet that the connection is gone.
            await Task.Delay(AskEvery, TimeProvider.System, late.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return false;
    }

    private static async Task<string?> AskAsync(string connectionString, string transaction, CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(connectionString);
        await using (connection.ConfigureAwait(false))
        {
            await connection.OpenAsync(cancellationToken);
            var ask = new NpgsqlCommand("SELECT pg_xact_status($1::xid8)", connection) { Parameters = { new NpgsqlParameter { Value = transaction, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text } } };
            await using (ask.ConfigureAwait(false))
            {
                return await ask.ExecuteScalarAsync(cancellationToken) as string;
            }
        }
    }
}
