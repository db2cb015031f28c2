using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace FailoverHub.Web.Data;

/// <summary>
/// Pragmas that SQLite keeps per connection. WAL lets readers go on while the one writer writes. <c>synchronous=FULL</c> makes a commit
/// wait for the disk: in WAL mode NORMAL may lose the last transactions when the power goes, and an audit entry that is gone after its
/// intent was sent would be a change that nobody audited. Writes come in batches, so the price is small. <c>auto_vacuum</c> takes effect in a
/// file that has no table yet, and changes nothing in any other.
/// </summary>
internal sealed class SqlitePragmas : DbConnectionInterceptor
{
    private const string Pragmas = "PRAGMA busy_timeout=5000; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;";

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        RefuseElsewhere(connection);
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        RefuseElsewhere(connection);
        var command = connection.CreateCommand();
        await using (command.ConfigureAwait(false))
        {
            command.CommandText = Pragmas;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>SQLite goes where a link leads that was laid in place of the file a moment ago, and says where it is. It has only opened it by then: nothing is read or written before this.</summary>
    /// <exception cref="DataFolderException">Root works in the folder of another user, and the file lies elsewhere.</exception>
    public static void RefuseElsewhere(DbConnection connection)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return;
        }

        // An open connection says where it is, the string where it should be.
        var wanted = new SqliteConnectionStringBuilder(connection.ConnectionString).DataSource;
        OwnFile.RefuseElsewhere(Path.GetDirectoryName(wanted)!, Path.GetFileName(wanted), connection.DataSource);
    }
}
