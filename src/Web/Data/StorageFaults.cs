using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data;

/// <summary>What a fault of the database means, whichever database it is.</summary>
internal static class StorageFaults
{
    /// <summary>It could not be read or written, for a reason outside of the program: disk full, locked, server away.</summary>
    public static bool IsStorageFault(Exception e) => e is DbUpdateException or DbException or IOException;

    /// <summary>It breaks a constraint of the database, or has what it cannot store or encode: trying again cannot help.</summary>
    public static bool IsForEver(Exception e) => e.InnerException is ArgumentException || (e as DbException ?? e.InnerException as DbException) switch
    {
        SqliteException sqlite => sqlite.SqliteErrorCode == SqliteConstraint,
        { SqlState: { } state } => state.StartsWith(IntegrityConstraint, StringComparison.Ordinal) || state.StartsWith(DataException, StringComparison.Ordinal) || state == RaisedByTrigger,
        _ => false,
    };

    /// <summary>It could not be written now, and may be in a moment.</summary>
    public static bool MayPass(Exception e) => IsStorageFault(e) && !IsForEver(e);

    /// <summary>The database is away, and may be back in a moment. Not a file that cannot be read, and not a request whose body ended too soon.</summary>
    public static bool IsAway(Exception e) => e is DbUpdateException or DbException && MayPass(e);

    private const int SqliteConstraint = 19;

    // The first two characters of a SQLSTATE are its class.
    private const string IntegrityConstraint = "23";
    private const string DataException = "22";
    private const string RaisedByTrigger = "P0001";
}
